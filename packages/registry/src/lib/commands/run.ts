import type { Database, Sql, Tables } from "@store/database";
import type { EventLog, LogTransaction } from "@store/events";

import { recordedBytes } from "../events/codec.ts";
import type { NewEvent, RecordedEvent } from "../events/types.ts";
import { recallAnswer, rememberAnswer, type IdempotentRequest } from "./idempotency.ts";
import { project } from "../projections/project.ts";

/** What deciding may read: the database as of this transaction, and its time. */
export interface View {
  readonly sql: Sql;
  readonly tables: Tables;
  /** The time that the events of this command will carry. */
  readonly now: string;
}

/** The events that make a command true, and what to answer once they are projected. */
export interface Decision<Answer> {
  readonly events: readonly NewEvent[];
  readonly answer: (view: View) => Promise<Answer> | Answer;
}

/** Reads the view, and returns events or throws; does no other I/O. */
export type Decide<Answer> = (view: View) => Promise<Decision<Answer>>;

/** What every command of one instance is run with. */
export interface CommandRunner {
  readonly database: Database;
  readonly log: EventLog;
}

/**
 * Decides, records and projects one command in one transaction, and resolves once it is durable.
 * With an idempotency key the first answer is remembered in the same transaction.
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
    const decision = await decide(tx);
    await record(tx, decision.events);
    const answer = await decision.answer(tx);
    if (idempotent !== undefined) await rememberAnswer(tx, actor, idempotent, answer);
    return answer;
  });
}

/** Appends events to the log and projects each, in the transaction that decided them. */
export async function record(tx: LogTransaction, events: readonly NewEvent[]): Promise<void> {
  for (const event of events) {
    const { type, subject } = event;
    const { seq, occurredAt, actor } = tx.append({ type, subject, payload: recordedBytes(event) });
    const recorded: RecordedEvent = { ...event, seq, occurredAt, actor };
    await project(tx, recorded);
  }
}
