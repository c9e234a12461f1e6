import type { Database } from "@store/database";
import type { EventQuery, LogHead, StoredEvent, TailOptions } from "@store/events";
import type { ContentAddress, Reference } from "@store/identity";
import type { ByteRange, StorageBackend } from "@store/storage";

import type {
  AddedFile,
  CreatePackageInput,
  FileInfo,
  FileOptions,
  FinalizedPackage,
  HealthReport,
  HoldFilter,
  HoldInfo,
  IngestFileOptions,
  JsonObject,
  MetadataSchemaInfo,
  MetadataSchemaSummary,
  MutationOptions,
  NameFilter,
  NameInfo,
  OpenedFile,
  PackageFilter,
  PackageInfo,
  PackageSummary,
  Page,
  PageOptions,
  ReplayOptions,
  ReplayReport,
  ResolvedPackage,
  RetentionClass,
  RetentionInfo,
  SetTagOptions,
  SweepReport,
  TagInfo,
  VerifyOptions,
  VerifyReport,
} from "./types.ts";
import type { UploadLimits, UploadReference, Uploads } from "./uploads/types.ts";

export interface OpenRegistryOptions extends UploadLimits {
  /** `sqlite:<path>`, `sqlite::memory:`, `postgres://…`, or a database that the caller opened. */
  readonly database: string | Database;
  /** Places for objects by logical role; `primary` is required. */
  readonly backends: { readonly primary: StorageBackend } & Readonly<
    Record<string, StorageBackend>
  >;
  /** The opaque id that events name as their author. */
  readonly actor: string;
  /** Milliseconds since the epoch; the system's clock unless given. */
  readonly clock?: () => number;
  /** UUIDv7 texts; random unless given. */
  readonly ids?: () => string;
  /** How long an open package lives after its last change; 24 hours unless given. */
  readonly openPackageMs?: number;
  /** How long a lease outlives its last renewal; two minutes unless given. */
  readonly leaseMs?: number;
  /**
   * Whether an actor may already read an object, so that naming its address adds it to a package
   * without its bytes. Everybody may, unless given: an embedded instance has one owner.
   */
  readonly mayReadObject?: (actor: string, address: ContentAddress) => Promise<boolean>;
}

/**
 * One instance: its log, its views and its objects. Mutations are decided, recorded and projected
 * in one transaction, and resolve once that is durable.
 */
export interface Registry extends Uploads {
  /** The same instance on behalf of another actor; closing either closes both. */
  as(actor: string): Registry;

  createPackage(input: CreatePackageInput, options?: MutationOptions): Promise<PackageInfo>;
  /** Reads the stream whole, verifies what was claimed, stores it once and adds it to the package. */
  ingestFile(
    packageId: string,
    path: string,
    source: AsyncIterable<Uint8Array>,
    options?: IngestFileOptions,
  ): Promise<AddedFile>;
  /**
   * Adds a stored object without its bytes: by its address, `object_not_found` unless readable, or
   * as the actor's complete upload, which stays and can be added again until it expires.
   */
  addFile(
    packageId: string,
    path: string,
    object: ContentAddress | UploadReference,
    options?: FileOptions,
  ): Promise<AddedFile>;
  removeFile(packageId: string, path: string, options?: MutationOptions): Promise<void>;
  finalizePackage(packageId: string, options?: MutationOptions): Promise<FinalizedPackage>;
  /** Ends an open package; its files are forgotten. Repeating it is success. */
  abandonPackage(packageId: string, options?: MutationOptions): Promise<void>;
  yankPackage(
    packageId: string,
    options?: MutationOptions & { readonly reason?: string },
  ): Promise<PackageSummary>;
  unyankPackage(packageId: string, options?: MutationOptions): Promise<PackageSummary>;

  getPackage(packageId: string): Promise<PackageInfo>;
  resolve(reference: Reference | string): Promise<ResolvedPackage>;
  /** In order of namespace, name, version precedence, variant. */
  listPackages(filter?: PackageFilter, page?: PageOptions): Promise<Page<PackageSummary>>;
  /** Finalized and yanked packages of a name, highest version first. */
  listVersions(namespace: string, name: string, page?: PageOptions): Promise<Page<PackageSummary>>;
  listNames(filter?: NameFilter, page?: PageOptions): Promise<Page<NameInfo>>;
  /** In bytewise order of path. */
  listFiles(packageId: string, page?: PageOptions): Promise<Page<FileInfo>>;
  statFile(packageId: string, path: string): Promise<FileInfo>;
  getFile(
    packageId: string,
    path: string,
    options?: { readonly range?: ByteRange; readonly signal?: AbortSignal },
  ): Promise<OpenedFile>;
  getManifestBytes(packageId: string, form: "cbor" | "jcs"): Promise<Uint8Array>;

  setTag(
    target: { readonly packageId: string; readonly tag: string },
    options?: SetTagOptions,
  ): Promise<TagInfo>;
  removeTag(
    target: { readonly namespace: string; readonly name: string; readonly tag: string },
    options?: SetTagOptions,
  ): Promise<void>;
  listTags(namespace: string, name: string, page?: PageOptions): Promise<Page<TagInfo>>;

  registerMetadataSchema(
    input: { readonly name: string; readonly schema: JsonObject },
    options?: MutationOptions,
  ): Promise<MetadataSchemaInfo>;
  /** `name` gives the newest revision, `name@revision` that one. */
  getMetadataSchema(reference: string): Promise<MetadataSchemaInfo>;
  listMetadataSchemas(page?: PageOptions): Promise<Page<MetadataSchemaSummary>>;

  listRetentionClasses(): Promise<readonly RetentionClass[]>;
  getRetention(packageId: string): Promise<RetentionInfo>;
  /** Sets the class and recomputes the expiry from the time of finalizing. */
  setRetention(
    packageId: string,
    retentionClass: string,
    options?: MutationOptions,
  ): Promise<RetentionInfo>;
  placeHold(packageId: string, reason: string, options?: MutationOptions): Promise<HoldInfo>;
  releaseHold(holdId: string, options?: MutationOptions): Promise<HoldInfo>;
  listHolds(filter?: HoldFilter, page?: PageOptions): Promise<Page<HoldInfo>>;

  /** Reads every byte of a finalized package and holds it against manifest and log. */
  verifyPackage(packageId: string, options?: VerifyOptions): Promise<VerifyReport>;
  /** Recomputes the log's tree; throws `log_corrupt` naming the first contradiction. */
  verifyLog(): Promise<LogHead>;

  readEvents(query: EventQuery): Promise<StoredEvent[]>;
  tailEvents(options: TailOptions): AsyncIterable<StoredEvent>;
  head(): Promise<LogHead>;
  /** Rebuilds the views from the events, or with `check` only compares. */
  replay(options?: ReplayOptions): Promise<ReplayReport>;

  /** Discards what expired leases protected, open packages that lapsed, and old keys. */
  sweep(): Promise<SweepReport>;
  health(): Promise<HealthReport>;
  /**
   * Lets the commands that were begun end, gives leases back, and closes the database if it was
   * opened here. A file that is still being read is refused with `closed`. Idempotent.
   */
  close(): Promise<void>;
}
