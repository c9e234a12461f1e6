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
  copied: v.pipe(field.count, v.description("Of these, copies that were made.")),
  removed: v.pipe(field.count, v.description("Of these, copies that were removed.")),
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
  started_at: v.optional(v.pipe(field.time, v.description("When the work was begun."))),
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

export function encodeObjectWork(progress: ObjectWorkProgress): ObjectWorkJson {
  const { position, objects, total, sizeBytes, changed, copied, removed, skipped } = progress;
  return {
    position,
    objects,
    total,
    size: sizeBytes,
    changed,
    copied,
    removed,
    skipped,
    problem_count: progress.problemCount,
    problems: progress.problems.map(({ address, ...problem }) => ({
      content_address: address,
      ...problem,
    })),
    resumed: progress.resumed,
    started_at: progress.startedAt,
    done: progress.done,
  };
}

export function decodeObjectWork(json: ObjectWorkJson): ObjectWorkProgress {
  const { position, size, problem_count, problems, started_at, ...same } = json;
  return present({
    ...same,
    position: position === undefined ? undefined : parseContentAddress(position),
    sizeBytes: size,
    problemCount: problem_count,
    startedAt: started_at,
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
