import type { ContentAddress, StoreErrorCode } from "@store/identity";
import type { RestoreOptions } from "@store/storage";

import type { MutationOptions, ObjectInfo } from "../types.ts";

/** An object at one backend, as the instance knows it. */
export interface ObjectCopy {
  readonly backend: string;
  /** Whether a backend of that name is configured, so that the copy can be reached. */
  readonly configured: boolean;
  readonly storedAt: string;
  /** What was found when it was last read or looked for; `ok` also where nobody has. */
  readonly status: "ok" | "missing" | "corrupt";
  /** Since when, where the status has ever changed. */
  readonly statusAt?: string;
  /** `archive`: it can be read only once it is restored. */
  readonly tier: "hot" | "archive";
  readonly restore: "none" | "requested" | "restored";
  /** Until when a restored copy can be read, where the backend says so. */
  readonly restoredUntil?: string;
}

export interface ObjectLocations {
  readonly object: ObjectInfo;
  /** In order of backend name. */
  readonly copies: readonly ObjectCopy[];
}

/** A backend that is configured. */
export interface BackendInfo {
  readonly name: string;
  /** What kind of place it is, e.g. `local`, `s3`. */
  readonly kind: string;
  /** Where it is, e.g. `s3://bucket/prefix`, where the placement says so. */
  readonly place?: string;
  /** `primary`: new objects go there; `mirror`: it gets a copy of every object. */
  readonly use: "primary" | "mirror" | "other";
  /** What was last found when it was used. */
  readonly status: "ok" | "failed";
  /** Why it failed, as an error code. */
  readonly reason?: string;
  /** Since when, where the status has ever changed. */
  readonly changedAt?: string;
  /** How many of its copies were found missing or corrupt, and are not mended. */
  readonly damagedCopies: number;
}

/** How a walk over copies is to go. */
export interface ObjectWorkOptions {
  /** Begins anew, where it would go on from where the same work was left. */
  readonly restart?: boolean;
  /** Objects in hand at the same time, 1 to 64. Default: 8. */
  readonly concurrency?: number;
  /** Gives the work up, with `aborted`; the same work can be gone on with later. */
  readonly signal?: AbortSignal;
}

export interface ReplicateObjectsOptions extends ObjectWorkOptions {
  /** The backend that gets a whole copy of every object. */
  readonly to: string;
  /** The backend to copy from; any that has a whole copy, in read order, unless given. */
  readonly from?: string;
}

export interface VerifyObjectsOptions extends ObjectWorkOptions {
  /** The backend whose copies are read; those of every configured one unless given. */
  readonly backend?: string;
}

export interface EvacuateObjectsOptions extends ObjectWorkOptions {
  /** The backend that is emptied; not the primary one. */
  readonly from: string;
  /** Where objects are copied that have no other whole copy; the primary unless given. */
  readonly to?: string;
}

/** Why nothing could be done about one copy. The work goes on with the next. */
export interface ObjectWorkProblem {
  readonly address: ContentAddress;
  /** The backend of the copy. */
  readonly backend: string;
  readonly code: StoreErrorCode;
  readonly message: string;
}

/** How far a walk over copies has come. Counts are those of the whole work, from its beginning. */
export interface ObjectWorkProgress {
  /** Everything up to this address is done; absent before the first. */
  readonly position?: ContentAddress;
  /** Copies that were looked at. */
  readonly objects: number;
  /** Bytes that were read from them or copied. */
  readonly sizeBytes: number;
  /** Copies that were made, removed, or whose status changed. */
  readonly changed: number;
  /** Of these, copies that were made. */
  readonly copied: number;
  /** Of these, copies that were removed. */
  readonly removed: number;
  /** Copies in an archive, which were passed over as they cannot be read now. */
  readonly skipped: number;
  readonly problemCount: number;
  /** New since the last progress; at most 100 of them, more are only counted. */
  readonly problems: readonly ObjectWorkProblem[];
  /** How many copies there were to look at when the work began. */
  readonly total: number;
  /** Whether this is the end. */
  readonly done: boolean;
  /** Whether this run went on with work that was begun before. */
  readonly resumed: boolean;
  /** When the work was begun that this run is of; absent while that is not known yet. */
  readonly startedAt?: string;
}

export interface RestoreObjectOptions extends RestoreOptions {
  /** The backend whose copy is asked for; every archived copy unless given. */
  readonly backend?: string;
}

/** A backend that did not answer as it should. */
export interface FailedBackend {
  readonly name: string;
  /** Why, as an error code. */
  readonly reason?: string;
  /** Since when: RFC 3339 UTC with milliseconds. */
  readonly changedAt: string;
}

/** What one round of {@link Copies.tendCopies} did. */
export interface TendReport {
  /** Copies that were made at mirrors. */
  readonly copied: number;
  readonly sizeBytes: number;
  /** Copies whose way to be read changed: restored, or no longer so. */
  readonly retrievalsChanged: number;
  /** Backends that had failed when the round began, also where they answer again by now. */
  readonly failed: readonly FailedBackend[];
  /** Backends that had failed and answer again. */
  readonly recovered: readonly string[];
  readonly problemCount: number;
  /** At most 100 of them. */
  readonly problems: readonly ObjectWorkProblem[];
  /** Whether there is more to do at once; else the next round may wait for new events. */
  readonly more: boolean;
}

/** What can be done with the copies of objects at several backends. */
export interface Copies {
  /** Where an object is, by either digest; `object_not_found` unless the caller may read it. */
  locateObject(address: ContentAddress): Promise<ObjectLocations>;
  /** The configured backends, in order of name. */
  listBackends(): Promise<readonly BackendInfo[]>;
  /**
   * Copies every object that `to` lacks, or holds damaged, from the first whole copy in read order.
   * Bytes are held against both digests on the way.
   *
   * This and the other walks go over objects in order of address, several at a time. One that
   * cannot be dealt with is a problem in the progress; a backend that fails as a whole ends the work
   * with its error. Leaving the loop, or aborting the signal, ends it promptly. The same call goes
   * on from there, in this process or another, until it has come to the end. Two at once do
   * no harm.
   */
  replicateObjects(options: ReplicateObjectsOptions): AsyncIterable<ObjectWorkProgress>;
  /**
   * Reads every copy whole and holds it against both digests of its object. A copy that is damaged,
   * or whole again, is recorded as an event, once per change. Archived copies are passed over. Of
   * several backends, one that fails as a whole is one problem, and the others' copies are read.
   */
  verifyObjects(options?: VerifyObjectsOptions): AsyncIterable<ObjectWorkProgress>;
  /**
   * Empties a backend: each of its copies is removed once another copy was read and found whole,
   * or made at `to`. The last whole copy of an object is never removed. Refused with
   * `invalid_argument` for the primary backend, where new objects would go on arriving, and for a
   * mirror, which would be filled again.
   */
  evacuateObjects(options: EvacuateObjectsOptions): AsyncIterable<ObjectWorkProgress>;
  /**
   * Asks the archives for an object, so that it can be read some minutes or hours later. Asking again while
   * that is under way records nothing. `unsupported` where no copy is in an archive that restores.
   */
  restoreObject(
    address: ContentAddress,
    options: RestoreObjectOptions,
    mutation?: MutationOptions,
  ): Promise<ObjectLocations>;
  /**
   * One bounded round of what has to be done in the background: mirrors get what they lack, the archives are
   * asked how far restores are, and backends that failed are tried again. Meant to be called again and again, by one
   * process at a time, at once where the report says `more`.
   */
  tendCopies(options?: { readonly signal?: AbortSignal }): Promise<TendReport>;
}
