import type { Database, Sql, Tables } from "@store/database";
import type { EventLog } from "@store/events";

import { recordedBytes } from "./event-codec.ts";
import type { NewEvent, RecordedEvent } from "./event-types.ts";
import { recallAnswer, rememberAnswer, type IdempotentRequest } from "./idempotency.ts";
import { project } from "./projections/project.ts";

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
      const remembered = await recallAnswer<Answer>(tx, actor, idempotent);
      if (remembered !== undefined) return remembered.answer;
    }
    const decision = await decide(tx);
    for (const event of decision.events) {
      const stored = tx.append({
        type: event.type,
        subject: event.subject,
        payload: recordedBytes(event),
      });
      const recorded: RecordedEvent = {
        ...event,
        seq: stored.seq,
        occurredAt: stored.occurredAt,
        actor: stored.actor,
      };
      await project(tx, recorded);
    }
    const answer = await decision.answer(tx);
    if (idempotent !== undefined) await rememberAnswer(tx, actor, idempotent, answer);
    return answer;
  });
}
