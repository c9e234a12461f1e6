import type { Database } from "@store/database";
import type { EventLog, LogTransaction } from "@store/events";

import { recordedBytes } from "../events/codec.ts";
import type { NewEvent, RecordedEvent } from "../events/types.ts";
import { project } from "../projections/project.ts";
import { formatTime } from "../times.ts";
import type { Decide } from "./decision.ts";
import { recallAnswer, rememberAnswer, type IdempotentRequest } from "./idempotency.ts";

/** What every command of one instance is run with. */
export interface CommandRunner {
  readonly database: Database;
  readonly log: EventLog;
  readonly clock: () => number;
}

/**
 * Decides, records and projects one command in one transaction, and resolves once it is durable.
 * With an idempotency key the first answer is remembered in the same transaction, and given again
 * instead of deciding.
 */
export function runCommand<Answer>(
  runner: CommandRunner,
  actor: string,
  decide: Decide<Answer>,
  idempotent?: IdempotentRequest,
): Promise<Answer> {
  return runner.log.transact(actor, async (tx) => {
    if (idempotent !== undefined) {
      const remembered = await recallAnswer(tx, actor, idempotent);
      // The same request of the same operation: its answer has that operation's shape.
      if (remembered !== undefined) return remembered.answer as Answer;
    }
    const { events, answer } = await decide(tx);
    const answered = answer(await record(tx, events));
    if (idempotent !== undefined) await rememberAnswer(tx, actor, idempotent, answered);
    return answered;
  });
}

/**
 * Runs a command that is prepared first, outside the writer, where it may take its time. A request
 * that was answered before is not prepared again.
 */
export async function prepareAndRun<Answer>(
  runner: CommandRunner,
  actor: string,
  prepare: () => Promise<Decide<Answer>>,
  idempotent: IdempotentRequest | undefined,
): Promise<Answer> {
  if (idempotent === undefined) return runCommand(runner, actor, await prepare());
  const { reader: sql, tables } = runner.database;
  const view = { sql, tables, now: formatTime(runner.clock()) };
  const remembered = await recallAnswer(view, actor, idempotent);
  if (remembered !== undefined) return remembered.answer as Answer;
  return runCommand(runner, actor, await prepared(prepare), idempotent);
}

/** What cannot be prepared may have been answered meanwhile: the same request, sent twice at once. */
async function prepared<Answer>(prepare: () => Promise<Decide<Answer>>): Promise<Decide<Answer>> {
  try {
    return await prepare();
  } catch (error) {
    return async () => {
      throw error;
    };
  }
}

/** Appends events to the log and projects each, in the transaction that decided them. */
export async function record(
  tx: LogTransaction,
  events: readonly NewEvent[],
): Promise<RecordedEvent[]> {
  const recorded: RecordedEvent[] = [];
  for (const event of events) {
    const { type, subject } = event;
    const { seq, occurredAt, actor } = tx.append({ type, subject, payload: recordedBytes(event) });
    const appended: RecordedEvent = { ...event, seq, occurredAt, actor };
    await project(tx, appended);
    recorded.push(appended);
  }
  return recorded;
}
