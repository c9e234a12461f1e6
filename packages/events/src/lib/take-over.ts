import { StoreError } from "@store/identity";

import type { LogHead } from "./head.ts";
import type { StoredEvents } from "./log.ts";

/**
 * Refuses events that are not what comes next in a log.
 *
 * @throws {StoreError} `precondition_failed` saying what the log has, `invalid_argument` where there
 *   is no event
 */
export function assertComesNext(
  head: Pick<LogHead, "logId" | "size"> | undefined,
  { logId, events }: StoredEvents,
): void {
  const [first] = events;
  if (first === undefined) {
    throw new StoreError("invalid_argument", "Events to take over are missing; give one at least.");
  }
  if (head !== undefined && head.logId !== logId) {
    throw new StoreError(
      "precondition_failed",
      `The log is ${head.logId}, and takes no events of the log ${logId}.`,
      { context: { expected: head.logId, actual: logId } },
    );
  }
  const size = head?.size ?? 0;
  if (first.seq === size + 1) return;
  throw new StoreError(
    "precondition_failed",
    `The log has ${size} events, and event ${first.seq} cannot come next. Look where it is, and go ` +
      "on from there.",
    { context: { expected: size + 1, actual: first.seq } },
  );
}
