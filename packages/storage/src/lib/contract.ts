import type { ContentAddress } from "@store/identity";

/**
 * What every place for objects promises. An object is immutable bytes under its content address;
 * the interfaces below have one verb each, so that a caller asks for no more than it uses.
 *
 * Ordering. Calls on one {@link Staged} are made one after the other; everything else may run
 * concurrently, in any process that shares the place.
 *
 * Visibility and durability. Nothing is visible to `open`, `stat` or `enumerate` before `commit`
 * is called, and before it resolves a reader sees the whole object or none of it, never a part.
 * Once it has resolved, the object survives a crash of the process and of the machine (where
 * `capabilities.durable` says so), even if another's commit put it there a moment before. What
 * `sync` returned as durable does so too, under the staged id.
 *
 * Idempotency. `commit` of an address that exists with the right size succeeds and changes
 * nothing but that the staged bytes are gone; so does `commit` called again on the same `Staged`.
 * `remove`, `abort` and `discardStaged` of what is absent succeed. Every verb but `write` and
 * `sync` may be retried after a failure; after a failed `write` or `sync`, that of a `read` among
 * them, only `abort` may follow, and all else fails with `staged_not_found`. A failure says nothing
 * about whether the effect took place: the answer may have been lost.
 *
 * Errors are `StoreError`s: `object_not_found`, `staged_not_found`, `invalid_range`,
 * `invalid_argument` (a lease that breaks its rule), `invalid_digest` (an address that does not
 * parse), `size_mismatch` (an object stands under the address with another size),
 * `object_corrupt` (the object's bytes end before its size), `storage_full`, `permission_denied`,
 * `storage_unavailable` (anything else of the surroundings; may be retried), `aborted` (the
 * signal), `restore_required` (a read of an object that lies in an archive), `unsupported` (a verb
 * that `capabilities` deny, or `read` of bytes that are staged under a claim), `closed` (any verb
 * after `close`, except `health` and `close`). A failed call leaves nothing behind that a sweep
 * would not find: staged bytes are in `listStaged`, objects in `enumerate`.
 */
export interface StorageBackend
  extends
    ObjectStager,
    ObjectReader,
    ObjectInspector,
    ObjectRemover,
    ObjectEnumerator,
    ObjectPresigner,
    ObjectRestorer,
    StagedSweeper,
    HealthReporter {
  /** What kind of place this is, for messages and health reports, e.g. `local`, `memory`. */
  readonly kind: string;
  readonly capabilities: StorageCapabilities;
  /** Releases what the backend holds; staged bytes and objects stay. May be called again. */
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
  /** Whether objects may lie in an archive, from which `restore` fetches them. */
  readonly restores: boolean;
}

/**
 * A half-open byte range: `start` inclusive, `end` exclusive; without `end`, to the object's end.
 * It lies within the object: 0 ≤ `start` ≤ `end` ≤ the size, all integers, or the read fails with
 * `invalid_range`. An empty range is a range: reading resumes at any offset, the last included.
 */
export interface ByteRange {
  readonly start: number;
  readonly end?: number;
}

export interface StageOptions {
  /** The id of the lease that protects the staged bytes from a sweep; 1–64 of `[a-z0-9-]`. */
  readonly lease: string;
  /**
   * The address that the caller claims the bytes will have: a claim, not a fact. Who gives one
   * makes the digest of what it writes by itself, and then commits to this address or aborts, so
   * that a backend may write in place: reading the bytes back, or committing them to another
   * address, may then fail with `unsupported`.
   */
  readonly claim?: ContentAddress;
  /** How many bytes are expected, where known. A hint, not a limit. */
  readonly expectedSizeBytes?: number;
  /** The retention class of what will point at the object, by which a backend may choose its tier. */
  readonly retentionClass?: string;
}

/** Proof that a backend holds an object durably. */
export interface StorageReceipt {
  readonly address: ContentAddress;
  readonly sizeBytes: number;
  /**
   * Whether the object stood there before, so that this commit changed nothing. Of commits that
   * run at once several may say false, and one that is retried may say true of its own bytes.
   */
  readonly existed: boolean;
  /** How it can be read, where the place keeps such objects so that they cannot be read at once. */
  readonly retrieval?: ObjectRetrieval;
}

/** Bytes on their way to becoming an object. */
export interface Staged {
  /**
   * Names the staged bytes in every process that shares the place: 1 to 1,024 printable ASCII
   * characters without space, whose meaning is the backend's own.
   */
  readonly id: string;
  /** Bytes accepted by `write` so far, including those before a `resume`. */
  readonly sizeBytes: number;
  /**
   * Appends a chunk, of any length, which may be a view of a `SharedArrayBuffer`. The chunk may be
   * reused by the caller once the promise has resolved. Fails with `staged_not_found` after `commit` or `abort`.
   */
  write(chunk: Uint8Array): Promise<void>;
  /**
   * Makes what was written durable as far as the place can, and returns the durable offset in
   * bytes: at most `sizeBytes`, never less than the sync before returned. Until the next write
   * nothing is held open, so that bytes may wait for their sender.
   */
  sync(): Promise<number>;
  /**
   * Reads back every byte that was accepted, from the first, those from before a `resume` too: in
   * chunks of 1 byte to 1 MiB that are the caller's to keep and change, unless it says that it
   * does not need them for so long. Makes the bytes durable first,
   * as `sync` does, when the first chunk is asked for. From then on the bytes are final, for
   * whoever resumes them too: only `read`, `commit` or `abort` may follow, and `write` and `sync`
   * fail with `invalid_argument`. It can be iterated once and called again; leaving the loop early
   * frees what the read holds. A stream that ends well has delivered `sizeBytes` bytes.
   */
  read(options?: StagedReadOptions): AsyncIterable<Uint8Array>;
  /**
   * Publishes the bytes under `address`, durably, with everything that was written: no `sync` is
   * needed before. The caller has verified the digest; the backend checks the size only. After a
   * failure `commit` may be called again, or `abort`.
   */
  commit(address: ContentAddress): Promise<StorageReceipt>;
  /**
   * Discards the bytes. Never throws for bytes that are gone already; after `commit` it changes
   * nothing.
   */
  abort(): Promise<void>;
}

export interface ObjectStager {
  stage(options: StageOptions): Promise<Staged>;
  /**
   * Reopens staged bytes at their durable offset: at least what the last `sync` returned, and the
   * caller goes on writing at `sizeBytes`. An earlier `Staged` of that id may not be used any
   * more. Fails with `staged_not_found` if the bytes are gone, committed, or if no backend of this
   * kind could have given that id.
   */
  resume(id: string): Promise<Staged>;
}

export interface StagedReadOptions {
  readonly signal?: AbortSignal;
  /**
   * Lets the backend fill a chunk again: it is the caller's only until the next is asked for. For
   * reading much without leaving it all behind as garbage.
   */
  readonly reuseChunks?: boolean;
}

export interface ReadOptions {
  readonly range?: ByteRange;
  readonly signal?: AbortSignal;
  /**
   * Lets the backend fill a chunk again once the third after it is asked for: until then it is the
   * caller's. For sending much without leaving it all behind as garbage.
   */
  readonly reuseChunks?: boolean;
}

export interface ObjectReader {
  /**
   * Streams the object, or a range of it, in chunks of 1 byte to 1 MiB that are the caller's to
   * keep and change; it can be iterated once. Fails with `object_not_found` or `invalid_range`
   * before the first chunk; holds nothing before the first chunk is asked for. A stream that ends
   * well has delivered every byte that was asked for. Leaving the loop early frees what the read
   * holds. An object that is removed meanwhile is delivered whole or the read fails.
   */
  open(address: ContentAddress, options?: ReadOptions): AsyncIterable<Uint8Array>;
}

export interface ObjectStat {
  readonly address: ContentAddress;
  readonly sizeBytes: number;
  /** How it can be read, where not at once and for ever. An enumeration may leave it out. */
  readonly retrieval?: ObjectRetrieval;
}

/** Whether an object can be read now. */
export interface ObjectRetrieval {
  /** `hot`: at once; `archive`: only after a restore. */
  readonly tier: "hot" | "archive";
  /** How far the restore of an archived object is; `restored` can be read like a hot one. */
  readonly restore: "none" | "requested" | "restored";
  /** Until when a restored one can be read, where the place says so: RFC 3339 UTC, milliseconds. */
  readonly restoredUntil?: string;
}

/** How fast an archive is asked to be; slower costs less. */
export type RestoreSpeed = "expedited" | "standard" | "bulk";

export interface RestoreOptions {
  /** Whole days for which the object can be read once it is restored, 1 to 365. */
  readonly days: number;
  /** Default: `standard`. */
  readonly speed?: RestoreSpeed;
}

export interface ObjectRestorer {
  /**
   * Asks the archive for the object, so that it can be read some minutes or hours later; asking
   * again changes the days at most. Says how it can be read now. One that is hot stays so. Fails
   * with `object_not_found`, and with `unsupported` where `capabilities.restores` is false.
   */
  restore(address: ContentAddress, options: RestoreOptions): Promise<ObjectRetrieval>;
}

export interface PresignOptions {
  /** How long the URL works, 1 to 300,000 ms. Default: five minutes. */
  readonly expiresMs?: number;
  /** The Content-Type that the place shall answer with. */
  readonly mediaType?: string;
  /** The Content-Disposition that the place shall answer with. */
  readonly disposition?: string;
}

export interface ObjectPresigner {
  /**
   * A URL by which whoever has it may read the object, ranges too, without another credential:
   * **a secret** while it lasts. Does not look whether the object is there. Fails with
   * `unsupported` where `capabilities.presignedReads` is false.
   */
  presign(address: ContentAddress, options?: PresignOptions): Promise<string>;
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
  /**
   * Every object with an address above `after` (which need not exist), in ascending bytewise order
   * of address. What is committed or removed meanwhile may be in it or not; all else is, once.
   */
  enumerate(after?: ContentAddress): AsyncIterable<ObjectStat>;
}

export interface StagedStat {
  /**
   * What `discardStaged` takes. A backend that keeps one staged thing in several places may list
   * each of its parts, under an id of its own.
   */
  readonly id: string;
  readonly lease: string;
  /** Bytes that are there; where the place cannot tell cheaply, those that are durable. */
  readonly sizeBytes: number;
}

export interface StagedSweeper {
  /** Everything that is staged, whoever staged it, in no order. */
  listStaged(): AsyncIterable<StagedStat>;
  /** Discards staged bytes by id; absent is success, and so is an id that cannot be one. */
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
