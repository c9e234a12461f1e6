import {
  decodeName,
  decodePackageSummary,
  decodeSchema,
  decodeSchemaSummary,
  decodeTag,
  mapPage,
  type JsonObject,
  type MetadataSchemaInfo,
  type MetadataSchemaSummary,
  type NameInfo,
  type PackageSummary,
  type Page,
  type TagInfo,
} from "@store/api";

import type { Caller } from "../http/caller.ts";
import type { KnownPackages } from "./known-packages.ts";
import { idempotency, type MutationOptions } from "./mutation.ts";
import { pageQuery, type PageOptions } from "./paging.ts";

export interface NameFilter {
  readonly namespace?: string | undefined;
}

export interface SetTagOptions extends MutationOptions {
  /**
   * Compare-and-set: the package id that the tag must target now, or `null` where there must be
   * no such tag. Without it the tag moves unconditionally.
   */
  readonly expected?: string | null;
}

/** A name with its latest package, and the first of its versions and tags. */
export interface NameDetails {
  readonly namespace: string;
  readonly name: string;
  readonly latest?: PackageSummary;
  readonly versions: Page<PackageSummary>;
  readonly tags: Page<TagInfo>;
}

/** Names, versions and tags, and the schemas of metadata. */
export interface NameMethods {
  listNames(filter?: NameFilter, page?: PageOptions): Promise<Page<NameInfo>>;
  getName(namespace: string, name: string): Promise<NameDetails>;
  /** Finalized and yanked packages of a name, highest version first. */
  listVersions(namespace: string, name: string, page?: PageOptions): Promise<Page<PackageSummary>>;
  listTags(namespace: string, name: string, page?: PageOptions): Promise<Page<TagInfo>>;
  setTag(
    target: { readonly packageId: string; readonly tag: string },
    options?: SetTagOptions,
  ): Promise<TagInfo>;
  removeTag(
    target: { readonly namespace: string; readonly name: string; readonly tag: string },
    options?: SetTagOptions,
  ): Promise<void>;
  registerMetadataSchema(
    input: { readonly name: string; readonly schema: JsonObject },
    options?: MutationOptions,
  ): Promise<MetadataSchemaInfo>;
  /** `name` gives the newest revision, `name@revision` that one. */
  getMetadataSchema(reference: string): Promise<MetadataSchemaInfo>;
  listMetadataSchemas(page?: PageOptions): Promise<Page<MetadataSchemaSummary>>;
}

export function nameMethods(caller: Caller, known: KnownPackages): NameMethods {
  return {
    ...listMethods(caller, known),
    ...tagMethods(caller, known),
    ...schemaMethods(caller),
  };
}

function listMethods({ call }: Caller, known: KnownPackages) {
  return {
    async listNames({ namespace } = {}, page = {}) {
      const { json } = await call("listNames", { query: { namespace, ...pageQuery(page) } });
      return mapPage(json, decodeName);
    },
    async getName(namespace, name) {
      const { json } = await call("getName", { params: { namespace, name } });
      const { latest } = json;
      return {
        namespace: json.namespace,
        name: json.name,
        ...(latest === undefined ? {} : { latest: known.note(decodePackageSummary(latest)) }),
        versions: mapPage(json.versions, (item) => known.note(decodePackageSummary(item))),
        tags: mapPage(json.tags, decodeTag),
      };
    },
    async listVersions(namespace, name, page = {}) {
      const { json } = await call("listVersions", {
        params: { namespace, name },
        query: pageQuery(page),
      });
      return mapPage(json, (item) => known.note(decodePackageSummary(item)));
    },
  } satisfies Partial<NameMethods>;
}

function tagMethods({ call }: Caller, known: KnownPackages) {
  const nameOf = async (packageId: string) => {
    const found = known.find(packageId);
    if (found !== undefined) return found;
    const { json } = await call("getPackage", { params: { packageId } });
    return known.note(decodePackageSummary(json));
  };
  return {
    async listTags(namespace, name, page = {}) {
      const { json } = await call("listTags", {
        params: { namespace, name },
        query: pageQuery(page),
      });
      return mapPage(json, decodeTag);
    },
    async setTag({ packageId, tag }, options = {}) {
      const { namespace, name } = await nameOf(packageId);
      const { json } = await call("setTag", {
        params: { namespace, name, tag },
        body: { package_id: packageId },
        headers: { ...condition(options), ...idempotency(options) },
      });
      return decodeTag(json);
    },
    async removeTag(target, options = {}) {
      await call("removeTag", {
        params: { ...target },
        headers: { ...condition(options), ...idempotency(options) },
      });
    },
  } satisfies Partial<NameMethods>;
}

/** Compare-and-set as HTTP says it: an entity tag is the id of the package. */
function condition({ expected }: SetTagOptions): { "if-match"?: string; "if-none-match"?: string } {
  if (expected === undefined) return {};
  return expected === null ? { "if-none-match": "*" } : { "if-match": `"${expected}"` };
}

function schemaMethods({ call }: Caller) {
  return {
    async registerMetadataSchema({ name, schema }, options = {}) {
      const { json } = await call("registerSchema", {
        body: { name, schema: { ...schema } },
        headers: idempotency(options),
      });
      return decodeSchema(json);
    },
    async getMetadataSchema(reference) {
      const { json } = await call("getSchema", { params: { reference } });
      return decodeSchema(json);
    },
    async listMetadataSchemas(page = {}) {
      const { json } = await call("listSchemas", { query: pageQuery(page) });
      return mapPage(json, decodeSchemaSummary);
    },
  } satisfies Partial<NameMethods>;
}
