import type { Row } from "@store/database";
import { asc, gt } from "drizzle-orm";

import { assertFaultless, assertReachesHead, corrupt, emptyChain, extendChain } from "./chain.ts";
import { logNotBegun, publicHead, readHeadRow, type LogHead } from "./head.ts";
import { pagesOf } from "./pages.ts";
import type { LogPlace } from "./read.ts";
import type { StoredEvent } from "./stored-event.ts";

/**
 * Recomputes the log from its stored events and holds it against its head, as of now; what is
 * appended meanwhile is not looked at.
 *
 * @throws {StoreError} `log_corrupt` naming the first event that is wrong and what differs,
 *   `instance_not_found` where there is no event
 */
export async function verifyLog(place: LogPlace): Promise<LogHead> {
  const { reader, tables } = place;
  const row = await readHeadRow(reader);
  if (row === undefined) {
    const [stray] = await reader.select({ seq: tables.events.seq }).from(tables.events).limit(1);
    throw stray === undefined ? logNotBegun() : corrupt(stray.seq, "the log has no head");
  }
  const head = publicHead(row);
  let chain = emptyChain(head.logId);
  let last: StoredEvent | undefined;
  for await (const events of pagesOf(place, 0, head.size)) {
    for (const event of events) {
      chain = extendChain(chain, event);
      assertFaultless(event);
    }
    last = events.at(-1);
  }
  assertReachesHead(chain, head);
  if (last !== undefined) assertLast(last, row);
  await refuseBeyondHead(place);
  return head;
}

/** The next event takes its lower bound in time from the head's row. */
function assertLast(event: StoredEvent, { lastEventId, lastOccurredAt }: Row<"logHead">): void {
  if (event.id === lastEventId && event.occurredAt === lastOccurredAt) return;
  throw corrupt(
    event.seq,
    `it is ${event.id} of ${event.occurredAt}, and the head says ${lastEventId} of ` +
      lastOccurredAt,
  );
}

/** Events that the head does not count would be read, and are proved by nothing. */
async function refuseBeyondHead({ reader, tables }: LogPlace): Promise<void> {
  const { events, logHead } = tables;
  // In one statement, so that an event is seen together with the head that counts it.
  const [beyond] = await reader
    .select({ seq: events.seq, size: logHead.size })
    .from(logHead)
    .innerJoin(events, gt(events.seq, logHead.size))
    .orderBy(asc(events.seq))
    .limit(1);
  if (beyond === undefined) return;
  throw corrupt(beyond.seq, `the head counts ${beyond.size} events only`);
}
