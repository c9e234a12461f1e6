import { tmpdir } from "node:os";
import { StoreError } from "@store/identity";
import { MIB, MOST_PART_BYTES, LEAST_PART_BYTES } from "./staging/part-sizes.ts";

/** An access key, as S3 knows it. */
export interface S3AccessKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** When it stops working; it is asked for again some minutes before. */
  readonly expiration?: Date;
}

/**
 * An access key, or a function that gives one: called at the first request, before the key that it
 * gave expires, and when the store says that it has.
 */
export type S3Credentials = S3AccessKey | (() => Promise<S3AccessKey>);

/** How the store encrypts what it keeps: with keys of its own, or with one of its key service. */
export type S3Encryption =
  | { readonly kind: "s3" }
  | { readonly kind: "kms"; readonly keyId?: string; readonly bucketKey?: boolean };

export interface S3StorageOptions {
  readonly bucket: string;
  /** What all keys begin with, without slashes at its ends. Default: none, the whole bucket. */
  readonly prefix?: string;
  /** Default: what the environment and the profile say; `us-east-1` beside an `endpoint`. */
  readonly region?: string;
  /** The URL of a store that is not AWS, or of a private endpoint. */
  readonly endpoint?: string;
  /** Whether the bucket is in the path and not in the host name. Default: false. */
  readonly pathStyle?: boolean;
  /** Default: the usual chain of the AWS SDK (environment, profile, web identity, machine). */
  readonly credentials?: S3Credentials;
  /** A profile of the shared files, for what is not said here. Default: what the chain takes. */
  readonly profile?: string;
  /**
   * Whether a prefix without a format file is made ready; else it is refused, since it is then not
   * the one that it was. Default: true.
   */
  readonly create?: boolean;
  /** Default: as the bucket says. */
  readonly encryption?: S3Encryption;
  /** The storage class of objects, such as `STANDARD_IA`. Default: as the store says. */
  readonly storageClass?: string;
  /** The storage class of objects by the retention class that an upload names. */
  readonly storageClasses?: Readonly<Record<string, string>>;
  /**
   * `when_required` for stores that lack the `x-amz-checksum-*` headers: the SHA-256 in the
   * signature then protects every body. Default: `when_supported`.
   */
  readonly checksums?: "when_supported" | "when_required";
  /** What protects a part on its way. Default: `crc32`, which costs a third of `sha256`. */
  readonly partChecksum?: "crc32" | "sha256";
  /** Whether the store takes `If-None-Match: *` on Put and Complete. Default: true. */
  readonly conditionalWrites?: boolean;
  /** The size of the first parts, whole MiB from 5 to 32 MiB. Default: 8 MiB. */
  readonly partBytes?: number;
  /** How many parts of one upload are on their way at once, 1 to 64. Default: 4. */
  readonly parallelParts?: number;
  /**
   * What the parts of all uploads together may keep in memory; above it each upload has one part
   * at a time. Default: 64 MiB.
   */
  readonly uploadMemoryBytes?: number;
  /** Where parts wait that are too large for memory. Default: the system's temporary folder. */
  readonly spoolFolder?: string;
  /** Connections for reads, and as many for everything else. Default: 128. */
  readonly maxConnections?: number;
  /** How long a connection may take, the wait for a free one included. Default: 10 s. */
  readonly connectTimeoutMs?: number;
  /** How long a connection may be silent. Default: 60 s. */
  readonly idleTimeoutMs?: number;
  /** How often a request is tried in all, 1 to 100. Default: 5. */
  readonly attempts?: number;
}

/** The options with their defaults. */
export interface Settings {
  readonly bucket: string;
  readonly prefix: string;
  readonly region: string | undefined;
  readonly endpoint: string | undefined;
  readonly pathStyle: boolean;
  readonly credentials: S3Credentials | undefined;
  readonly profile: string | undefined;
  readonly create: boolean;
  readonly encryption: S3Encryption | undefined;
  readonly storageClass: string | undefined;
  readonly storageClasses: ReadonlyMap<string, string>;
  readonly flexibleChecksums: boolean;
  readonly partChecksum: "crc32" | "sha256";
  readonly conditionalWrites: boolean;
  readonly partBytes: number;
  readonly parallelParts: number;
  readonly uploadMemoryBytes: number;
  readonly spoolFolder: string;
  readonly maxConnections: number;
  readonly connectTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly attempts: number;
}

const bucketName = /^[a-zA-Z0-9][a-zA-Z0-9._-]{1,61}[a-zA-Z0-9]$|^arn:[!-~]{1,2048}$/;
const prefixSegment = /^(?!\.{1,2}$)[a-zA-Z0-9!_.*'()-]{1,255}$/;
const storageClassName = /^[A-Z_]{1,32}$/;
const MOST_PREFIX = 256;
const DAY_MS = 86_400_000;

/** Checks the options and fills in the defaults. Throws `invalid_argument`. */
export function settingsOf(options: S3StorageOptions): Settings {
  const flexibleChecksums = oneOf(options, "checksums", ["when_supported", "when_required"]);
  return {
    bucket: checkedBucket(options.bucket),
    prefix: checkedPrefix(options.prefix ?? ""),
    region: options.region ?? (options.endpoint === undefined ? undefined : "us-east-1"),
    endpoint: checkedEndpoint(options.endpoint),
    pathStyle: options.pathStyle ?? false,
    credentials: options.credentials,
    profile: options.profile,
    create: options.create ?? true,
    encryption: options.encryption,
    storageClass: checkedClass(options.storageClass),
    storageClasses: checkedClasses(options.storageClasses ?? {}),
    flexibleChecksums: flexibleChecksums === "when_supported",
    partChecksum: oneOf(options, "partChecksum", ["crc32", "sha256"]),
    conditionalWrites: options.conditionalWrites ?? true,
    partBytes: checkedPartBytes(options.partBytes ?? 8 * MIB),
    parallelParts: whole(options, "parallelParts", 4, 1, 64),
    uploadMemoryBytes: whole(options, "uploadMemoryBytes", 64 * MIB, 16 * MIB, 2 ** 40),
    spoolFolder: options.spoolFolder ?? tmpdir(),
    maxConnections: whole(options, "maxConnections", 128, 1, 10_000),
    connectTimeoutMs: whole(options, "connectTimeoutMs", 10_000, 1, DAY_MS),
    idleTimeoutMs: whole(options, "idleTimeoutMs", 60_000, 1, DAY_MS),
    attempts: whole(options, "attempts", 5, 1, 100),
  };
}

function whole(
  options: S3StorageOptions,
  name:
    | "attempts"
    | "connectTimeoutMs"
    | "idleTimeoutMs"
    | "maxConnections"
    | "parallelParts"
    | "uploadMemoryBytes",
  otherwise: number,
  least: number,
  most: number,
): number {
  const value = options[name] ?? otherwise;
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
  throw refused(name, `must be a whole number from ${least} to ${most}`, value);
}

function oneOf<K extends "checksums" | "partChecksum">(
  options: S3StorageOptions,
  name: K,
  allowed: readonly [NonNullable<S3StorageOptions[K]>, NonNullable<S3StorageOptions[K]>],
): NonNullable<S3StorageOptions[K]> {
  const value = options[name] ?? allowed[0];
  if (allowed.includes(value)) return value;
  throw refused(name, `must be ${allowed.join(" or ")}`, value);
}

function checkedBucket(bucket: string): string {
  if (typeof bucket === "string" && bucketName.test(bucket)) return bucket;
  throw refused("bucket", "must be the name of a bucket", bucket);
}

function checkedPrefix(prefix: string): string {
  const trimmed = prefix.replace(/^\/+|\/+$/g, "");
  const sound = trimmed === "" || trimmed.split("/").every((part) => prefixSegment.test(part));
  if (sound && trimmed.length <= MOST_PREFIX) return trimmed;
  const rule = `must be names of letters, digits and !_.*'()- between slashes, ${MOST_PREFIX} at most`;
  throw refused("prefix", rule, prefix);
}

function checkedClass(name: string | undefined): string | undefined {
  if (name === undefined || storageClassName.test(name)) return name;
  throw refused("storageClass", "must be a name such as STANDARD_IA", name);
}

function checkedClasses(classes: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  for (const name of Object.values(classes)) checkedClass(name);
  return new Map(Object.entries(classes));
}

function checkedEndpoint(endpoint: string | undefined): string | undefined {
  if (endpoint === undefined) return undefined;
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  const isHttp = url?.protocol === "http:" || url?.protocol === "https:";
  // Whoever put a password there would find it in messages.
  if (url !== undefined && isHttp && url.username === "" && url.password === "") return endpoint;
  throw new StoreError(
    "invalid_argument",
    "The option endpoint must be an http or https URL without user and password.",
  );
}

function checkedPartBytes(bytes: number): number {
  const allowed = bytes >= LEAST_PART_BYTES && bytes <= MOST_PART_BYTES;
  if (allowed && bytes % MIB === 0) return bytes;
  throw refused("partBytes", "must be whole MiB from 5 to 32 MiB", bytes);
}

function refused(name: string, rule: string, actual: unknown): StoreError {
  return new StoreError("invalid_argument", `The option ${name} ${rule}.`, {
    context: { actual: String(actual) },
  });
}
