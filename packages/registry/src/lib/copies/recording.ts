import { digestOf, type ContentAddress } from "@store/identity";
import type { ObjectRetrieval, RestoreSpeed } from "@store/storage";

import { copyDamaged, copyMended, retrievalEvents } from "../commands/copies.ts";
import type { Decide, View } from "../commands/decision.ts";
import { runCommand, type CommandRunner } from "../commands/run.ts";
import { backendSubject, objectSubject } from "../events/subjects.ts";
import type { NewEvent } from "../events/types.ts";
import { findBackend, findCopy, type CopyRow } from "../queries/copies.ts";
import { selectObject } from "../queries/objects.ts";
import { together } from "../together.ts";

/** Who records, and where. */
export interface Recorder extends CommandRunner {
  readonly actor: string;
}

/** A copy of an object, by name. */
export interface CopyName {
  readonly address: ContentAddress;
  readonly backend: string;
}

/** What a command did: it may find that its fact is known, or that the copy is another by now. */
export type Outcome = "recorded" | "known" | "moved";

/** What was found when a copy was read or looked for. */
export type Finding = "ok" | "missing" | "corrupt";

/**
 * Records that a copy stands at a backend that was written, or found whole, where none was known to
 * be, or a damaged one. `also` runs in the same transaction.
 */
export function recordCopied(
  recorder: Recorder,
  copy: CopyName,
  made: {
    readonly from: string;
    readonly wasWritten: boolean;
    readonly retrieval: ObjectRetrieval | undefined;
    readonly also: (view: View) => Promise<void>;
  },
): Promise<Outcome> {
  return run(recorder, async (view) => {
    await made.also(view);
    const { address, backend } = copy;
    const [object, row] = await together([
      selectObject(view.sql, address),
      findCopy(view.sql, address, backend),
    ]);
    if (object === undefined) return { events: [], outcome: "moved" };
    if (row?.status === "ok") return { events: [], outcome: "known" };
    const subject = objectSubject(address);
    const payload = { blake3: digestOf(address).bytes, backend };
    if (row !== undefined && !made.wasWritten) {
      return { events: [{ type: "v1.object.mended", subject, payload }], outcome: "recorded" };
    }
    const copied: NewEvent = {
      type: "v1.object.copied",
      subject,
      payload: { ...payload, from: made.from },
    };
    const retrieval = retrievalEvents(copy, undefined, made.retrieval);
    return { events: [copied, ...retrieval], outcome: "recorded" };
  });
}

/**
 * Records what was found of a copy whose row was `seen` before, if that changes its status. A row
 * that has changed since then is left alone: the finding is older than what it says.
 */
export async function recordFinding(
  recorder: Recorder,
  copy: CopyName,
  seen: CopyRow,
  finding: Finding,
): Promise<Outcome> {
  if (seen.status === finding) return "known";
  return run(recorder, async (view) => {
    const row = await findCopy(view.sql, copy.address, copy.backend);
    // A read may have reported the same meanwhile.
    if (row?.status === finding) return { events: [], outcome: "known" };
    if (row === undefined || !isSameState(row, seen)) return { events: [], outcome: "moved" };
    const decide = finding === "ok" ? copyMended(copy) : copyDamaged(copy, finding);
    const { events } = await decide(view);
    return { events, outcome: "recorded" };
  });
}

function isSameState(row: CopyRow, seen: CopyRow): boolean {
  return (
    row.storedAt === seen.storedAt && row.status === seen.status && row.statusAt === seen.statusAt
  );
}

/** Records that a copy was removed on purpose. `also` runs in the same transaction. */
export function recordRemoved(
  recorder: Recorder,
  { address, backend }: CopyName,
  also: (view: View) => Promise<void>,
): Promise<Outcome> {
  return run(recorder, async (view) => {
    await also(view);
    const row = await findCopy(view.sql, address, backend);
    if (row === undefined) return { events: [], outcome: "known" };
    const removed = {
      type: "v1.object.removed",
      subject: objectSubject(address),
      payload: { blake3: digestOf(address).bytes, backend, reason: "evacuated" },
    } as const;
    return { events: [removed], outcome: "recorded" };
  });
}

/** That the archive was asked, and what it says; asking again is no news while that is under way. */
export function restoreEvents(
  copy: CopyName,
  row: CopyRow,
  asked: {
    readonly days: number;
    readonly speed: RestoreSpeed;
    readonly retrieval: ObjectRetrieval;
  },
): NewEvent[] {
  const { days, speed, retrieval } = asked;
  if (retrieval.tier === "hot" || retrieval.restore !== "requested") {
    return retrievalEvents(copy, row, retrieval);
  }
  if (row.restoreStatus === "requested") return [];
  const { address, backend } = copy;
  const payload = { blake3: digestOf(address).bytes, backend, days, speed };
  return [{ type: "v1.object.restore_requested", subject: objectSubject(address), payload }];
}

/**
 * Records how a copy can be read now, where that is another thing than what is known: than what
 * was `seen` before, where it is given, so that the writer is not asked for what is no news.
 */
export async function recordRetrieval(
  recorder: Recorder,
  copy: CopyName,
  retrieval: ObjectRetrieval | undefined,
  seen?: CopyRow,
): Promise<Outcome> {
  if (seen !== undefined && retrievalEvents(copy, seen, retrieval).length === 0) return "known";
  return run(recorder, async (view) => {
    const row = await findCopy(view.sql, copy.address, copy.backend);
    if (row === undefined) return { events: [], outcome: "moved" };
    const events = retrievalEvents(copy, row, retrieval);
    return { events, outcome: events.length > 0 ? "recorded" : "known" };
  });
}

/** A row as it is once that is recorded. */
export function retrievalAfter(row: CopyRow, retrieval: ObjectRetrieval): CopyRow {
  return {
    ...row,
    retrievalTier: retrieval.tier,
    restoreStatus: retrieval.restore,
    restoredUntil: retrieval.restoredUntil ?? null,
  };
}

/** Records that a backend that had failed answers again. */
export function recordRecovered(recorder: Recorder, backend: string): Promise<Outcome> {
  return run(recorder, async ({ sql }) => {
    const known = await findBackend(sql, backend);
    if (known?.status !== "failed") return { events: [], outcome: "known" };
    const subject = backendSubject(backend);
    const recovered = { type: "v1.backend.recovered", subject, payload: { backend } } as const;
    return { events: [recovered], outcome: "recorded" };
  });
}

function run(
  recorder: Recorder,
  decide: (
    view: View,
  ) => Promise<{ readonly events: readonly NewEvent[]; readonly outcome: Outcome }>,
): Promise<Outcome> {
  const command: Decide<Outcome> = async (view) => {
    const { events, outcome } = await decide(view);
    return { events, answer: () => outcome };
  };
  return runCommand(recorder, recorder.actor, command);
}
