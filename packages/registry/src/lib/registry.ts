import type { Database } from "@store/database";
import type { EventLog, EventQuery, LogHead, StoredEvent, TailOptions } from "@store/events";
import type { ContentAddress, Reference } from "@store/identity";
import type { StorageBackend } from "@store/storage";

import type { Copies } from "./copies/types.ts";
import type {
  HealthReport,
  ReplayOptions,
  ReplayReport,
  SweepReport,
  VerifyOptions,
  VerifyReport,
} from "./operations/types.ts";
import type { PlacementOptions, PresignedRead, PresignReadOptions } from "./placement/types.ts";
import type {
  AddedFile,
  CreatePackageInput,
  EventPage,
  FileInfo,
  FileOptions,
  FinalizedPackage,
  HoldFilter,
  HoldInfo,
  IngestFileOptions,
  JsonObject,
  MetadataSchemaInfo,
  MetadataSchemaSummary,
  MutationOptions,
  NameFilter,
  NameInfo,
  ObjectInfo,
  OpenedFile,
  OpenedObject,
  PackageFilter,
  PackageInfo,
  PackageSummary,
  Page,
  PageOptions,
  ReadContentOptions,
  ReadScope,
  ResolvedPackage,
  RetentionClass,
  RetentionInfo,
  SetTagOptions,
  TagInfo,
} from "./types.ts";
import type { UploadLimits, UploadReference, Uploads } from "./uploads/types.ts";

export interface OpenRegistryOptions extends UploadLimits {
  /** `sqlite:<path>`, `sqlite::memory:`, `postgres://…`, or a database that the caller opened. */
  readonly database: string | Database;
  /** Places for objects by the names under which they are recorded. */
  readonly backends: Readonly<Record<string, StorageBackend>>;
  /** Which of them has which use; new objects go to the one named `primary` unless given. */
  readonly placement?: PlacementOptions;
  /** The opaque id that events name as their author. */
  readonly actor: string;
  /** Milliseconds since the epoch; the system's clock unless given. */
  readonly clock?: () => number;
  /** UUIDv7 texts; random unless given. */
  readonly ids?: () => string;
  /**
   * How many bytes of small objects are kept in memory once they were read and verified, so that
   * those that are asked for again and again are not read from disk; none unless given.
   */
  readonly objectMemoryBytes?: number;
  /** How long an open package lives after its last change; 24 hours unless given. */
  readonly openPackageMs?: number;
  /** How long a lease outlives its last renewal; two minutes unless given. */
  readonly leaseMs?: number;
  /**
   * The log of `database`, which then is a database too, opened by the caller: for those who record
   * events of their own in it, since only one log writes to a database.
   */
  readonly log?: EventLog;
}

/**
 * One instance: its log, its views and its objects. Mutations are decided, recorded and projected
 * in one transaction, and resolve once that is durable.
 */
export interface Registry extends Uploads, Copies {
  /**
   * The same instance on behalf of another actor, who may read `readable` only, or everything
   * unless that is given. What the actor may not read answers as if it were not there. What the
   * actor may change is for the caller to decide. Closing either closes both.
   */
  as(actor: string, readable?: ReadScope): Registry;

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
  /** In order of namespace, name, version precedence, variant; with `q` by matching word first. */
  listPackages(filter?: PackageFilter, page?: PageOptions): Promise<Page<PackageSummary>>;
  /** Finalized and yanked packages of a name, highest version first. */
  listVersions(namespace: string, name: string, page?: PageOptions): Promise<Page<PackageSummary>>;
  listNames(filter?: NameFilter, page?: PageOptions): Promise<Page<NameInfo>>;
  /** In bytewise order of path. */
  listFiles(packageId: string, page?: PageOptions): Promise<Page<FileInfo>>;
  statFile(packageId: string, path: string): Promise<FileInfo>;
  getFile(packageId: string, path: string, options?: ReadContentOptions): Promise<OpenedFile>;
  /**
   * A URL by which whoever has it may read the file from the backend that holds it, or undefined
   * where that cannot be given now: then read it through {@link Registry.getFile}. The file's media
   * type is what the backend answers with unless another is given.
   */
  presignFile(
    packageId: string,
    path: string,
    options?: PresignReadOptions,
  ): Promise<PresignedRead | undefined>;
  getManifestBytes(packageId: string, form: "cbor" | "jcs"): Promise<Uint8Array>;

  /** By either digest. `object_not_found` unless readable: see {@link Registry.listMissing}. */
  statObject(address: ContentAddress): Promise<ObjectInfo>;
  openObject(address: ContentAddress, options?: ReadContentOptions): Promise<OpenedObject>;
  /** Like {@link Registry.presignFile}, of an object. */
  presignObject(
    address: ContentAddress,
    options?: PresignReadOptions,
  ): Promise<PresignedRead | undefined>;
  /**
   * Those of up to 10,000 addresses whose bytes have to be sent, in the order given: the instance
   * lacks the object, or the caller may not read it. An object is readable if a readable package
   * has it, among 1,000 places that are looked at, or a complete upload of the caller.
   */
  listMissing(addresses: readonly ContentAddress[]): Promise<ContentAddress[]>;

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
  getHold(holdId: string): Promise<HoldInfo>;
  listHolds(filter?: HoldFilter, page?: PageOptions): Promise<Page<HoldInfo>>;

  /**
   * Reads every byte of a finalized package, of each of its copies, and holds it against manifest
   * and log; records which copies are damaged or whole again. A problem with a `backend` is of that
   * copy alone. A copy that its backend cannot give now is left out while another is whole.
   */
  verifyPackage(packageId: string, options?: VerifyOptions): Promise<VerifyReport>;
  /** Recomputes the log's tree; throws `log_corrupt` naming the first contradiction. */
  verifyLog(): Promise<LogHead>;

  /**
   * The events that a query selects and the caller may read. One call looks at a bounded part of
   * the log, so that a page may have few events, or none, before the end: see {@link EventPage}.
   */
  readEvents(query: EventQuery): Promise<EventPage>;
  /** The events after `since` that the caller may read, and then each as it becomes durable. */
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
