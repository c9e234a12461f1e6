import {
  StoreError,
  formatCoordinates,
  type ContentAddress,
  type PackageCoordinates,
} from "@store/identity";

/**
 * Subjects of the registry's events. Those of packages and tags begin with `namespace/name`, so
 * that the log can be read by name; the others hold no slash before their colon.
 */

/** `acme/app@1.2.0/linux-amd64#<package id>`: several open packages may share coordinates. */
export function packageSubject(coordinates: PackageCoordinates, packageId: string): string {
  return `${formatCoordinates(coordinates)}#${packageId}`;
}

const named = /^([a-z0-9][a-z0-9._-]*)\/([a-z0-9][a-z0-9._-]*)(?:[@:#]|$)/;

/** The `namespace/name` that a subject begins with; undefined for what stands under none. */
export function nameOfSubject(
  subject: string,
): { readonly namespace: string; readonly name: string } | undefined {
  const [, namespace, name] = named.exec(subject) ?? [];
  return namespace === undefined || name === undefined ? undefined : { namespace, name };
}

/** The package id at the end of a package's subject. */
export function packageIdOf(subject: string): string {
  const at = subject.lastIndexOf("#");
  if (at < 0) {
    throw new StoreError("log_corrupt", `The event subject "${subject}" names no package.`);
  }
  return subject.slice(at + 1);
}

/** `acme/app:stable` */
export function tagSubject(namespace: string, name: string, tag: string): string {
  return `${namespace}/${name}:${tag}`;
}

/** `schema:<name>` */
export function schemaSubject(name: string): string {
  return `schema:${name}`;
}

/** `retention-class:<name>` */
export function retentionClassSubject(name: string): string {
  return `retention-class:${name}`;
}

/** `object:blake3:<64 hex>` */
export function objectSubject(address: ContentAddress): string {
  return `object:${address}`;
}

/** `backend:<name>` */
export function backendSubject(backend: string): string {
  return `backend:${backend}`;
}

/** The subject of what belongs to the instance as a whole. */
export const instanceSubject = "instance";

/** The subject of a package whose row is at hand. */
export function rowSubject(row: {
  readonly packageId: string;
  readonly namespace: string;
  readonly name: string;
  readonly version: string;
  readonly variant: string;
}): string {
  const { packageId, namespace, name, version, variant } = row;
  const coordinates = { namespace, name, version, ...(variant === "" ? {} : { variant }) };
  return packageSubject(coordinates, packageId);
}
