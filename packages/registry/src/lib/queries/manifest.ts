import type { EventLog } from "@store/events";
import { StoreError } from "@store/identity";

import type { PackageRow } from "./rows.ts";
import { rowReference } from "./find.ts";

/** The manifest's bytes as they were recorded: the payload of the event that finalized it. */
export async function manifestBytes(log: EventLog, row: PackageRow): Promise<Uint8Array> {
  const seq = row.finalizedSeq ?? 0;
  const [event] = await log.read({ after: seq - 1, limit: 1 });
  if (event?.seq === seq && event.type === "v1.package.finalized") return event.payload;
  throw new StoreError(
    "log_corrupt",
    `The log does not hold the manifest of ${rowReference(row)} at event ${seq}.`,
    { context: { reference: rowReference(row) } },
  );
}
