import { encodeObjectWork } from "@store/api";
import { isStoreError } from "@store/identity";
import type { ObjectWorkProgress, ObjectWorkProblem } from "@store/registry";

import { AnsweredError } from "../error-report.ts";
import { exitCodes, outcomeOf } from "../exit-codes.ts";
import { formatCount, formatCounted, formatSize, formatTime } from "../format.ts";
import { HintedError } from "../hinted-error.ts";
import { printEvent, printLine, printNote, styled } from "../output.ts";
import { printable } from "../printable.ts";
import { ObjectProgress } from "../progress.ts";

/** How a work on the copies of objects is told. */
export interface ObjectWorkTelling {
  /** What it does, e.g. `replicating`. */
  readonly label: string;
  /** What it did to copies. */
  readonly counts: readonly ("copied" | "removed" | "changed")[];
  /** Whether each progress is printed, as a line of JSON. */
  readonly json: boolean;
  readonly signal: AbortSignal;
}

/**
 * Follows a work on the copies of objects to its end, and prints what comes of it: problems as they
 * come, and then what was done; or every progress as a line of JSON.
 *
 * @throws {AnsweredError} where there were problems
 * @throws {HintedError} `aborted` where the signal fired, which says how far it has come
 */
export async function followObjectWork(
  work: AsyncIterable<ObjectWorkProgress>,
  telling: ObjectWorkTelling,
): Promise<void> {
  using progress = new ObjectProgress(telling.label);
  let last: ObjectWorkProgress | undefined;
  let isDamaged = false;
  let since: string | undefined;
  try {
    for await (const now of work) {
      if (since === undefined && now.resumed) {
        since = now.startedAt;
        if (since !== undefined && !telling.json) sayGoesOn(since, progress);
      }
      last = now;
      progress.set(now);
      isDamaged ||= now.problems.some(isDamage);
      if (telling.json) await printEvent(encodeObjectWork(now));
      else for (const problem of now.problems) await printProblem(problem, progress);
    }
  } catch (error) {
    if (telling.signal.aborted && isStoreError(error, "aborted")) throw interrupted(last, error);
    throw error;
  }
  progress[Symbol.dispose]();
  if (last?.done !== true) throw interrupted(last, telling.signal.reason);
  if (!telling.json) await printOutcome(last, telling);
  if (last.problemCount === 0) return;
  throw new AnsweredError(isDamaged ? exitCodes.integrity : exitCodes.failedCheck);
}

function sayGoesOn(since: string, progress: ObjectProgress): void {
  progress.clear();
  printNote(`Goes on with work begun ${formatTime(since)}; --restart begins anew.`);
}

/** Whether bytes are not there, or not what they should be. */
function isDamage({ code }: ObjectWorkProblem): boolean {
  return code === "object_not_found" || outcomeOf(code).exit === exitCodes.integrity;
}

async function printProblem(
  { code, backend, address, message }: ObjectWorkProblem,
  progress: ObjectProgress,
): Promise<void> {
  progress.clear();
  const where = printable(`${backend}  ${address}  ${message}`);
  await printLine(`${styled("red", code)}  ${where}`);
}

async function printOutcome(
  outcome: ObjectWorkProgress,
  { counts }: ObjectWorkTelling,
): Promise<void> {
  const { objects, sizeBytes, problemCount, skipped, resumed, startedAt } = outcome;
  const since = startedAt === undefined ? "before" : `since ${formatTime(startedAt)}`;
  const facts = [
    `${formatCounted(objects, "copy", "copies")}, ${formatSize(sizeBytes)}`,
    ...counts.map((name) => `${formatCount(outcome[name])} ${name}`),
    ...(skipped > 0 ? [`${formatCount(skipped)} in an archive`] : []),
    ...(resumed ? [`with what was done ${since}`] : []),
  ];
  const verdict =
    problemCount > 0
      ? styled("red", formatCounted(problemCount, "problem"))
      : styled("green", "no problem");
  await printLine(`${facts.join(", ")}: ${verdict}`);
}

function interrupted(last: ObjectWorkProgress | undefined, cause: unknown): HintedError {
  const far =
    last === undefined
      ? "before the first object"
      : `after ${formatCount(last.objects)} of ${formatCounted(last.total, "copy", "copies")}`;
  const message = `Interrupted ${far}.`;
  return new HintedError(
    "aborted",
    message,
    "The same command goes on from there; --restart begins anew.",
    { cause },
  );
}
