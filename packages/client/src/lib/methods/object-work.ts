import {
  decodeObjectWork,
  objectWorkLineSchema,
  present,
  type ObjectWorkProgress,
  type RouteBodyInput,
  type Routes,
} from "@store/api";
import * as v from "valibot";

import type { Caller } from "../http/caller.ts";
import { errorOf, thrownFailure, wrongAnswer } from "../http/failures.ts";
import { jsonLines } from "../http/json-lines.ts";
import { withIdleLimit } from "../http/streams.ts";

/** How a walk over copies is to go. */
export interface ObjectWorkOptions {
  /** Begins anew, where it would go on from where the same work was left. */
  readonly restart?: boolean;
  /** Objects in hand at the same time, 1 to 64. Default: 8. */
  readonly concurrency?: number;
  /** Gives the work up, with `aborted`; the same work can be gone on with later. */
  readonly signal?: AbortSignal;
}

type WorkRoute = "replicateObjects" | "verifyObjects" | "evacuateObjects";
type WorkBody<Name extends WorkRoute> = RouteBodyInput<Routes[Name]>;

/**
 * Lets the server do a work, and gives its progress. The registry keeps how far it has come, so that
 * after a break the same request goes on, at whichever server answers it.
 */
export async function* objectWork<Name extends WorkRoute>(
  caller: Caller,
  name: Name,
  body: WorkBody<Name>,
  { restart, concurrency, signal }: ObjectWorkOptions,
): AsyncGenerator<ObjectWorkProgress> {
  const what = phrases[name];
  const attempts = caller.retries.begin(what, signal);
  let isAnew = restart;
  let last: ObjectWorkProgress | undefined;
  for (;;) {
    const input = present({ ...body, restart: isAnew, concurrency });
    try {
      for await (const progress of oneAnswer(caller, name, input, signal)) {
        // The server has begun, so what follows goes on from there.
        isAnew = undefined;
        if (isFurther(progress, last)) attempts.progressed();
        last = progress;
        yield progress;
        if (progress.done) return;
      }
      throw new Error("the answer ended before the work");
    } catch (error) {
      const failure = thrownFailure(error, what, signal);
      // A call that was refused was tried often enough by itself.
      if (last === undefined) throw failure.error;
      await attempts.pause(failure);
    }
  }
}

const phrases: Readonly<Record<WorkRoute, string>> = {
  replicateObjects: "replicating objects",
  verifyObjects: "verifying objects",
  evacuateObjects: "evacuating objects",
};

async function* oneAnswer(
  caller: Caller,
  name: WorkRoute,
  body: object,
  signal: AbortSignal | undefined,
): AsyncGenerator<ObjectWorkProgress> {
  const { idleMs } = caller;
  const what = phrases[name];
  const call = caller.call as (
    name: WorkRoute,
    input: object,
  ) => Promise<{ readonly bytes: AsyncIterable<Uint8Array> }>;
  // To begin a work twice does no harm.
  const { bytes } = await call(name, { body, signal, isRepeatable: true });
  const late = () => new Error(`nothing came for ${idleMs} ms`);
  for await (const value of jsonLines(withIdleLimit(bytes, idleMs, late), what)) {
    const parsed = v.safeParse(objectWorkLineSchema, value);
    if (!parsed.success) throw wrongAnswer(what, `a line is none: ${parsed.issues[0].message}`);
    if ("code" in parsed.output) throw errorOf(parsed.output);
    yield decodeObjectWork(parsed.output);
  }
}

/** Lines that say the same again show only that the server lives. */
function isFurther(progress: ObjectWorkProgress, last: ObjectWorkProgress | undefined): boolean {
  return (
    last === undefined || progress.objects > last.objects || progress.position !== last.position
  );
}
