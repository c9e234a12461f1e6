import type { Sql, Tables } from "@store/database";

import type { EventType, NewEvent, RecordedEvent } from "../events/types.ts";

/** What deciding may read: the database as of this transaction, and its time. */
export interface View {
  readonly sql: Sql;
  readonly tables: Tables;
  /** The time that the events of this command will carry. */
  readonly now: string;
}

/** Reads the view, and returns what to record or throws; does no other I/O. */
export type Decide<Answer> = (view: View) => Promise<Decision<Answer>>;

/** The events that make a command true, and what to answer. */
export interface Decision<Answer> {
  readonly events: readonly NewEvent[];
  /** Given the events as they were recorded. */
  readonly answer: (recorded: readonly RecordedEvent[]) => Answer;
}

/** Decides on one event; the answer is made of it as it was recorded. */
export function changed<Type extends EventType, Answer>(
  event: NewEvent & { readonly type: Type },
  answer: (recorded: RecordedEvent<Type>) => Answer,
): Decision<Answer> {
  // What is recorded has the type of what was decided.
  return { events: [event], answer: ([recorded]) => answer(recorded as RecordedEvent<Type>) };
}

/** Decides that nothing has to change. */
export function unchanged<Answer>(answer: Answer): Decision<Answer> {
  return { events: [], answer: () => answer };
}
