import {
  parseContentAddress,
  storeErrorCodes,
  type ContentAddress,
  type StoreErrorCode,
} from "@store/identity";
import * as v from "valibot";

import * as field from "../fields.ts";
import { present } from "../present.ts";
import { problemSchema } from "../problem.ts";

const backendUse = v.picklist(["primary", "mirror", "other"]);
const copyStatus = v.picklist(["ok", "missing", "corrupt"]);
const tier = v.picklist(["hot", "archive"]);
const restoreStatus = v.picklist(["none", "requested", "restored"]);
const restoreSpeed = v.picklist(["expedited", "standard", "bulk"]);

/** A backend that is configured. */
export const backendSchema = v.object({
  name: field.backendName,
  kind: field.described("What kind of place it is, e.g. `local`, `s3`."),
  use: v.pipe(
    backendUse,
    v.description("`primary`: new objects go there; `mirror`: it gets a copy of every object."),
  ),
  status: v.picklist(["ok", "failed"]),
  reason: v.optional(field.described("Why it failed: an error code.")),
  changed_at: v.optional(field.time),
  damaged_count: v.pipe(
    field.count,
    v.description("Copies that were found missing or corrupt, and are not mended."),
  ),
});
export type BackendJson = v.InferOutput<typeof backendSchema>;

/** A backend that is configured. */
export interface BackendInfo {
  readonly name: string;
  /** What kind of place it is, e.g. `local`, `s3`. */
  readonly kind: string;
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

/** The copies of an object. */
export const objectLocationsSchema = v.object({
  content_address: field.contentAddress,
  sha256: field.contentAddress,
  size: field.count,
  copies: v.array(
    v.object({
      backend: field.backendName,
      configured: v.pipe(v.boolean(), v.description("Whether there is a backend of that name.")),
      stored_at: field.time,
      status: copyStatus,
      status_at: v.optional(field.time),
      tier: v.pipe(tier, v.description("`archive`: it has to be restored before it is read.")),
      restore: restoreStatus,
      restored_until: v.optional(field.time),
    }),
  ),
});
export type ObjectLocationsJson = v.InferOutput<typeof objectLocationsSchema>;

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
  readonly object: {
    readonly address: ContentAddress;
    readonly sha256: ContentAddress;
    readonly sizeBytes: number;
  };
  /** In order of backend name. */
  readonly copies: readonly ObjectCopy[];
}

/** How an archive is asked for an object. */
export const restoreObjectSchema = v.strictObject({
  days: v.pipe(
    v.number(),
    v.integer(),
    v.minValue(1),
    v.maxValue(365),
    v.description("For how many days it can be read then."),
  ),
  speed: v.optional(
    v.pipe(restoreSpeed, v.description("Slower costs less; `standard` unless given.")),
  ),
  backend: v.optional(field.backendName),
});

const workOptions = {
  restart: v.optional(
    v.pipe(v.boolean(), v.description("Begins anew, where it would go on where it was left.")),
  ),
  concurrency: v.optional(
    v.pipe(
      v.number(),
      v.integer(),
      v.minValue(1),
      v.maxValue(64),
      v.description("Objects in hand at the same time; 8 unless given."),
    ),
  ),
};

export const replicateObjectsSchema = v.strictObject({
  to: field.backendName,
  from: v.optional(field.backendName),
  ...workOptions,
});

export const verifyObjectsSchema = v.strictObject({
  backend: v.optional(field.backendName),
  ...workOptions,
});

export const evacuateObjectsSchema = v.strictObject({
  from: field.backendName,
  to: v.optional(field.backendName),
  ...workOptions,
});

/** How far a walk over copies has come. */
export const objectWorkSchema = v.object({
  position: v.optional(v.pipe(field.contentAddress, v.description("Everything up to it is done."))),
  objects: v.pipe(field.count, v.description("Copies that were looked at.")),
  total: v.pipe(field.count, v.description("Copies that there were when the work began.")),
  size: v.pipe(field.count, v.description("Bytes that were read from them or copied.")),
  changed: v.pipe(
    field.count,
    v.description("Copies that were made, removed, or whose status changed."),
  ),
  skipped: v.pipe(field.count, v.description("Copies that lie in an archive.")),
  problem_count: field.count,
  problems: v.pipe(
    v.array(
      v.object({
        content_address: field.contentAddress,
        backend: field.backendName,
        code: v.string(),
        message: v.string(),
      }),
    ),
    v.description("New since the line before; at most 100, more are only counted."),
  ),
  resumed: v.pipe(v.boolean(), v.description("Whether it went on with what was begun before.")),
  done: v.boolean(),
});
export type ObjectWorkJson = v.InferOutput<typeof objectWorkSchema>;

/** A line of the answer to such a work: how far it is, or at last the problem that ended it. */
export const objectWorkLineSchema = v.union([objectWorkSchema, problemSchema]);

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
}

export function encodeBackend(backend: BackendInfo): BackendJson {
  const { changedAt, damagedCopies, ...same } = backend;
  return { ...same, changed_at: changedAt, damaged_count: damagedCopies };
}

export function decodeBackend(json: BackendJson): BackendInfo {
  const { changed_at, damaged_count, ...same } = json;
  return present({ ...same, changedAt: changed_at, damagedCopies: damaged_count });
}

export function encodeObjectLocations({ object, copies }: ObjectLocations): ObjectLocationsJson {
  return {
    content_address: object.address,
    sha256: object.sha256,
    size: object.sizeBytes,
    copies: copies.map((copy) => ({
      backend: copy.backend,
      configured: copy.configured,
      stored_at: copy.storedAt,
      status: copy.status,
      status_at: copy.statusAt,
      tier: copy.tier,
      restore: copy.restore,
      restored_until: copy.restoredUntil,
    })),
  };
}

export function decodeObjectLocations(json: ObjectLocationsJson): ObjectLocations {
  return {
    object: {
      address: parseContentAddress(json.content_address),
      sha256: parseContentAddress(json.sha256),
      sizeBytes: json.size,
    },
    copies: json.copies.map(({ stored_at, status_at, restored_until, ...copy }) =>
      present({
        ...copy,
        storedAt: stored_at,
        statusAt: status_at,
        restoredUntil: restored_until,
      }),
    ),
  };
}

export function encodeObjectWork(progress: ObjectWorkProgress): ObjectWorkJson {
  const { position, objects, total, sizeBytes, changed, skipped } = progress;
  return {
    position,
    objects,
    total,
    size: sizeBytes,
    changed,
    skipped,
    problem_count: progress.problemCount,
    problems: progress.problems.map(({ address, ...problem }) => ({
      content_address: address,
      ...problem,
    })),
    resumed: progress.resumed,
    done: progress.done,
  };
}

export function decodeObjectWork(json: ObjectWorkJson): ObjectWorkProgress {
  const { position, size, problem_count, problems, ...same } = json;
  return present({
    ...same,
    position: position === undefined ? undefined : parseContentAddress(position),
    sizeBytes: size,
    problemCount: problem_count,
    problems: problems.map(({ content_address, backend, code, message }) => ({
      address: parseContentAddress(content_address),
      backend,
      code: isCode(code) ? code : "internal",
      message,
    })),
  });
}

/** A newer server may have codes that are unknown here. */
function isCode(code: string): code is StoreErrorCode {
  return Object.hasOwn(storeErrorCodes, code);
}
