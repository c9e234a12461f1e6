import type { Database, TableName } from "@store/database";
import type { ContentAddress, StoreErrorCode } from "@store/identity";
import type { StorageBackend } from "@store/storage";

/** An instance as a copy works with it: no registry is open on the one that is written. */
export interface CopySide {
  readonly database: Database;
  /** By logical role, as its placement names them. */
  readonly backends: Readonly<Record<string, StorageBackend>>;
}

export interface CopyInstanceOptions {
  /** Only read; it may be in use. */
  readonly from: CopySide;
  /** An empty place, or what an earlier copy of the same instance left; used by nobody else. */
  readonly to: CopySide;
  /** Roles whose copies stay behind; every object has to have one at another role. */
  readonly without?: readonly string[];
  /** Objects in hand at the same time, 1 to 64. Default: 32. */
  readonly concurrency?: number;
  /** Reads every object of the target and holds every row against the source's. */
  readonly verify?: boolean;
  /** Gives the copy up, with `aborted`; the next one goes on from where it was. */
  readonly signal?: AbortSignal;
  /** Called after every part, and at least once. It must be quick and must not throw. */
  readonly onProgress?: (progress: CopyProgress) => void;
}

/** How far a copy is. */
export interface CopyProgress {
  readonly step: "comparing" | "copying" | "verifying";
  /** Events, or where copies are verified rows, that are done. */
  readonly done: number;
  /** Of how many, where that is known. */
  readonly total?: number;
  /** Objects that were copied, or verified. */
  readonly objects: number;
  /** Their bytes. */
  readonly sizeBytes: number;
}

/** An object that did not arrive at a role, and why. */
export interface CopyProblem {
  readonly address: ContentAddress;
  readonly backend: string;
  readonly code: StoreErrorCode;
  readonly message: string;
}

/** What a copy did. */
export interface CopyReport {
  readonly logId: string;
  /** Events that the target has, and the root over them, 32 bytes: the source's at that size. */
  readonly size: number;
  readonly root: Uint8Array;
  /** Events that the source has: more than `size` where it went on meanwhile. */
  readonly sourceSize: number;
  /** What was copied by this call; all 0 where the target had everything. */
  readonly events: number;
  readonly objects: number;
  readonly sizeBytes: number;
  /** Rows of accounts, tokens, keys and the like that were written or removed. */
  readonly operationalRows: number;
  /** Objects that are not in the target as they should be. The next copy tries them again. */
  readonly problemCount: number;
  /** The first thousand of them. */
  readonly problems: readonly CopyProblem[];
  /** With `verify`. */
  readonly verification?: CopyVerification;
}

/** What comparing both instances found. */
export interface CopyVerification {
  /** Rows of views and operational tables that were held against the source's. */
  readonly rows: number;
  /** How many rows differ, by table; none where the tables agree. */
  readonly differences: Readonly<Partial<Record<TableName, number>>>;
  /** Objects of the target that were read whole, and their bytes. */
  readonly objects: number;
  readonly sizeBytes: number;
  /** Those among them that were missing or damaged, and were copied again. */
  readonly mended: number;
  /** Objects that lie in an archive and were not read. */
  readonly unread: number;
}
