import type { StoredEvent } from "@store/events";
import type { ContentAddress, NamePattern, PackageCoordinates, Reference } from "@store/identity";
import type { ByteRange, ResolvedRange } from "@store/storage";

/** Where a package is in its life; `open` is the only state that accepts files. */
export type PackageStatus = "open" | "finalized" | "yanked" | "expired";

/**
 * A package as the views know it, without its metadata, which may be as large as a mebibyte.
 * Times are RFC 3339 UTC with milliseconds.
 */
export interface PackageSummary extends PackageCoordinates {
  /** The package's UUIDv7; names it from creation on. */
  readonly id: string;
  readonly status: PackageStatus;
  /** Moves with every change to the open package. */
  readonly revision: number;
  readonly createdAt: string;
  readonly createdBy: string;
  readonly fileCount: number;
  readonly sizeBytes: number;
  readonly retentionClass: string;
  /** `name@revision` of the metadata schema that the metadata satisfies. */
  readonly metadataSchema?: string;
  readonly source?: string;
  readonly build?: string;
  /** When the open package lapses, unless it changes before. */
  readonly openUntil?: string;
  readonly finalizedAt?: string;
  /** The content address of the manifest; present once finalized. */
  readonly manifestDigest?: ContentAddress;
  readonly manifestSizeBytes?: number;
  readonly yankedAt?: string;
  readonly yankReason?: string;
}

/** A package with its metadata. */
export interface PackageInfo extends PackageSummary {
  /** The caller's JSON, as canonical text parsed again. */
  readonly metadata?: JsonObject;
}

/** A file of a package, and the object that it points at. */
export interface FileInfo {
  readonly path: string;
  readonly sizeBytes: number;
  readonly mediaType?: string;
  readonly executable: boolean;
  /** The object: `blake3:<64 hex>`. */
  readonly address: ContentAddress;
  /** The same bytes by their other digest: `sha256:<64 hex>`. */
  readonly sha256: ContentAddress;
}

/** Any JSON object, for metadata and schemas. */
export interface JsonObject {
  readonly [key: string]: JsonValue;
}
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;

/** What every mutation accepts. */
export interface MutationOptions {
  /**
   * Makes the mutation safe to repeat for 24 hours: the same key with the same request gives the
   * first answer again, with another request `idempotency_conflict`. Scoped to the actor.
   * 1–128 printable ASCII characters.
   */
  readonly idempotencyKey?: string;
}

export interface CreatePackageInput extends PackageCoordinates {
  readonly metadata?: JsonObject;
  /** `name` (its newest revision) or `name@revision` of a registered metadata schema. */
  readonly metadataSchema?: string;
  /** One of the retention classes; `standard` unless given. */
  readonly retentionClass?: string;
  /** Where the files come from, e.g. a repository and commit; at most 2,048 bytes. */
  readonly source?: string;
  /** What built the files, e.g. a job's address; at most 2,048 bytes. */
  readonly build?: string;
}

/** What the caller claims about bytes; each claim is checked and a false one refused. */
export interface ExpectedContent {
  readonly address?: ContentAddress;
  /** The other digest, `sha256:<64 hex>`; may be claimed beside `address`. */
  readonly sha256?: ContentAddress;
  readonly sizeBytes?: number;
}

export interface FileOptions extends MutationOptions {
  readonly mediaType?: string;
  readonly executable?: boolean;
  /** Replaces the file at this path instead of refusing; absent is fine. */
  readonly replace?: boolean;
}

export interface IngestFileOptions extends FileOptions {
  readonly expect?: ExpectedContent;
  readonly signal?: AbortSignal;
  /** Called with the bytes read so far. */
  readonly onProgress?: (sizeBytes: number) => void;
}

/** The outcome of adding a file. */
export interface AddedFile extends FileInfo {
  /** Whether the object was already stored, so that nothing was written. */
  readonly deduplicated: boolean;
}

export interface FinalizedPackage {
  readonly package: PackageSummary;
  readonly manifestDigest: ContentAddress;
}

export interface ResolvedPackage {
  readonly reference: Reference;
  readonly package: PackageInfo;
  /** What the caller should be told, e.g. that the package was yanked and why. */
  readonly warnings: readonly string[];
}

export interface OpenedFile {
  readonly file: FileInfo;
  /** While the package is open, the file may still be replaced. */
  readonly packageStatus: PackageStatus;
  /** What `body` delivers: a half-open range of the file's bytes. */
  readonly range: ResolvedRange;
  /** `whole`: the stream fails before its end where the bytes are not the object's. */
  readonly verified: "whole" | "none";
  readonly body: AsyncIterable<Uint8Array>;
}

/** How to read a file or an object. */
export interface ReadContentOptions {
  readonly range?: ByteRange;
  readonly signal?: AbortSignal;
  /**
   * Lets a chunk be filled again once the second after it is asked for. Default: false, a chunk is
   * the caller's to keep.
   */
  readonly reuseChunks?: boolean;
}

/** An object of the instance. */
export interface ObjectInfo {
  /** `blake3:<64 hex>` */
  readonly address: ContentAddress;
  /** The same bytes by their other digest: `sha256:<64 hex>`. */
  readonly sha256: ContentAddress;
  readonly sizeBytes: number;
}

export interface OpenedObject {
  readonly object: ObjectInfo;
  /** What `body` delivers: a half-open range of the object's bytes. */
  readonly range: ResolvedRange;
  /** `whole`: the stream fails before its end where the bytes are not the object's. */
  readonly verified: "whole" | "none";
  readonly body: AsyncIterable<Uint8Array>;
}

/**
 * What a caller may read. What is not covered is to the caller as if it were not there: the same
 * answers, the same refusals, letter for letter.
 */
export interface ReadScope {
  /** Packages, tags, files, holds and events of names that one of these patterns covers. */
  readonly names: readonly NamePattern[];
  /**
   * Whether events about users, sessions, tokens and keys, and those about the copies of objects and
   * about backends, are among those that are read.
   */
  readonly accounts: boolean;
}

/** Events that were found, and how far the log was looked through for them. */
export interface EventPage {
  /** In the order of the log. */
  readonly items: readonly StoredEvent[];
  /**
   * Every event that was asked for, up to this `seq`, is among the items: ask for those `after` it
   * to go on. It may lie far above the last item, since one call looks at a bounded part of the log.
   */
  readonly scannedTo: number;
  /** How many events the log has; `scannedTo` reaches it, or what `before` allows, at the end. */
  readonly head: number;
}

/** One page of a list; pass `cursor` back to get the next, absent at the end. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly cursor?: string;
}

export interface PageOptions {
  readonly cursor?: string;
  /** 1–1,000; 100 unless given. */
  readonly limit?: number;
}

/** Everything given must hold. What narrows a name needs the name, and a name its namespace. */
export interface PackageFilter {
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  readonly version?: string | undefined;
  readonly variant?: string | undefined;
  readonly status?: PackageStatus | undefined;
  /** Only the package that this tag targets. */
  readonly tag?: string | undefined;
  /**
   * How a word of the namespace or the name begins: 1 to 128 of the characters that names have.
   * Words are what `.`, `_` and `-` separate, and the whole texts. Packages come in the order of
   * the first word that matches, then of their names; a page may be shorter than its limit.
   */
  readonly q?: string | undefined;
}

export interface NameFilter {
  readonly namespace?: string | undefined;
}

export interface HoldFilter {
  readonly packageId?: string | undefined;
  /** Only holds that were released, or only those that were not. */
  readonly released?: boolean | undefined;
}

/** A `namespace/name` that has at least one finalized package. */
export interface NameInfo {
  readonly namespace: string;
  readonly name: string;
  readonly finalizedCount: number;
  readonly updatedAt: string;
}

export interface TagInfo {
  readonly namespace: string;
  readonly name: string;
  readonly tag: string;
  readonly packageId: string;
  readonly version: string;
  readonly variant?: string;
  readonly manifestDigest: ContentAddress;
  readonly setAt: string;
  readonly setBy: string;
}

export interface SetTagOptions extends MutationOptions {
  /**
   * Compare-and-set: the package id that the tag must target now, or `null` where there must be
   * no such tag. Without it the tag moves unconditionally.
   */
  readonly expected?: string | null;
}

export interface RetentionClass {
  readonly name: string;
  /** Whole days from finalizing; absent means for ever. */
  readonly durationDays?: number;
}

export interface RetentionInfo {
  readonly packageId: string;
  readonly retentionClass: string;
  readonly expiresAt?: string;
  readonly setAt: string;
  readonly setBy: string;
}

export interface HoldInfo {
  readonly id: string;
  readonly packageId: string;
  readonly reason: string;
  readonly placedAt: string;
  readonly placedBy: string;
  readonly releasedAt?: string;
  readonly releasedBy?: string;
}

/** A revision of a metadata schema, without the schema itself. */
export interface MetadataSchemaSummary {
  readonly name: string;
  readonly revision: number;
  /** SHA-256 of the schema's canonical JSON. */
  readonly digest: ContentAddress;
  readonly registeredAt: string;
  readonly registeredBy: string;
}

/** A revision of a metadata schema. */
export interface MetadataSchemaInfo extends MetadataSchemaSummary {
  readonly schema: JsonObject;
}
