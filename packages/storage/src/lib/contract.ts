import type { ContentAddress } from "@store/identity";

/**
 * What every place for objects promises. An object is immutable bytes under its content address;
 * the interfaces below have one verb each, so that a caller asks for no more than it uses.
 *
 * Ordering. Calls on one {@link Staged} are made one after the other; everything else may run
 * concurrently, in any process that shares the place.
 *
 * Visibility and durability. Nothing is visible to `open`, `stat` or `enumerate` before `commit`
 * resolves. Once it has resolved, the object survives a crash of the process and of the machine.
 * What `sync` returned as durable does so too, under the staged id.
 *
 * Idempotency. `commit` of an address that exists with the right size succeeds and changes
 * nothing; `remove`, `abort` and `discardStaged` of what is absent succeed. Every verb but
 * `write` may be retried after a failure; after a failed `write` or `sync` only `abort` may follow.
 *
 * Errors are `StoreError`s: `object_not_found`, `staged_not_found`, `invalid_range`,
 * `size_mismatch` (an object stands under the address with another size), `storage_full`,
 * `permission_denied`, `storage_unavailable` (anything else of the surroundings; may be retried),
 * `aborted` (the signal). A failed call leaves nothing behind that a sweep would not find.
 */
export interface StorageBackend
  extends
    ObjectStager,
    ObjectReader,
    ObjectInspector,
    ObjectRemover,
    ObjectEnumerator,
    StagedSweeper,
    HealthReporter {
  /** What kind of place this is, for messages and health reports, e.g. `local`, `memory`. */
  readonly kind: string;
  readonly capabilities: StorageCapabilities;
  /** Releases what the backend holds; staged bytes and objects stay. */
  close(): Promise<void>;
}

/** What a backend can do beyond the contract. */
export interface StorageCapabilities {
  /** Whether committed objects survive the end of the process. */
  readonly durable: boolean;
  /** Whether `resume` works from another process. */
  readonly resumableAcrossProcesses: boolean;
  /** Whether reads can be redirected to a presigned URL. */
  readonly presignedReads: boolean;
}

/** A half-open byte range: `start` inclusive, `end` exclusive; without `end`, to the object's end. */
export interface ByteRange {
  readonly start: number;
  readonly end?: number;
}

export interface StageOptions {
  /** The id of the lease that protects the staged bytes from a sweep; 1–64 of `[a-z0-9-]`. */
  readonly lease: string;
  /** The address that the caller claims the bytes will have: a claim, not a fact. */
  readonly claim?: ContentAddress;
  /** How many bytes are expected, where known. A hint, not a limit. */
  readonly expectedSizeBytes?: number;
}

/** Proof that a backend holds an object durably. */
export interface StorageReceipt {
  readonly address: ContentAddress;
  readonly sizeBytes: number;
  /** Whether the object stood there before, so that this commit changed nothing. */
  readonly existed: boolean;
}

/** Bytes on their way to becoming an object. */
export interface Staged {
  /** Names the staged bytes in every process that shares the place. */
  readonly id: string;
  /** Bytes accepted by `write` so far, including those before a `resume`. */
  readonly sizeBytes: number;
  /** Appends a chunk. The chunk may be reused by the caller once the promise has resolved. */
  write(chunk: Uint8Array): Promise<void>;
  /** Makes what was written durable and returns the durable offset in bytes. */
  sync(): Promise<number>;
  /**
   * Publishes the bytes under `address`, durably. The caller has verified the digest; the
   * backend checks the size only.
   */
  commit(address: ContentAddress): Promise<StorageReceipt>;
  /** Discards the bytes. Never throws for bytes that are gone already. */
  abort(): Promise<void>;
}

export interface ObjectStager {
  stage(options: StageOptions): Promise<Staged>;
  /** Reopens staged bytes at their durable offset; `staged_not_found` if they are gone. */
  resume(id: string): Promise<Staged>;
}

export interface ReadOptions {
  readonly range?: ByteRange;
  readonly signal?: AbortSignal;
}

export interface ObjectReader {
  /**
   * Streams the object, or a range of it, in chunks that the caller may keep. Fails with
   * `object_not_found` or `invalid_range` before the first chunk. Leaving the loop early frees
   * what the read holds.
   */
  open(address: ContentAddress, options?: ReadOptions): AsyncIterable<Uint8Array>;
}

export interface ObjectStat {
  readonly address: ContentAddress;
  readonly sizeBytes: number;
}

export interface ObjectInspector {
  /** The object's size, or undefined where there is none. */
  stat(address: ContentAddress): Promise<ObjectStat | undefined>;
}

export interface ObjectRemover {
  /** Removes the object durably; absent is success. */
  remove(address: ContentAddress): Promise<void>;
}

export interface ObjectEnumerator {
  /** Every object with an address above `after`, in ascending order of address. */
  enumerate(after?: ContentAddress): AsyncIterable<ObjectStat>;
}

export interface StagedStat {
  readonly id: string;
  readonly lease: string;
  readonly sizeBytes: number;
}

export interface StagedSweeper {
  /** Everything that is staged, whoever staged it. */
  listStaged(): AsyncIterable<StagedStat>;
  /** Discards staged bytes by id; absent is success. */
  discardStaged(id: string): Promise<void>;
}

export interface BackendHealth {
  readonly healthy: boolean;
  /** Why not, where `healthy` is false. */
  readonly reason?: string;
  readonly freeBytes?: number;
  readonly totalBytes?: number;
}

export interface HealthReporter {
  /** Tries the place for real. Resolves with the reason where it fails; never throws. */
  health(): Promise<BackendHealth>;
}
