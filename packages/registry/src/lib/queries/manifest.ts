import type { EventLog } from "@store/events";
import { contentAddress, StoreError } from "@store/identity";
import { manifestDigest } from "@store/manifest";

import { rowReference } from "./find.ts";
import type { PackageRow } from "./rows.ts";

/**
 * The manifest's bytes as they were recorded: the payload of the event that finalized the package.
 *
 * @throws {StoreError} `log_corrupt` unless they have the digest that identifies the package
 */
export async function manifestBytes(log: EventLog, row: PackageRow): Promise<Uint8Array> {
  const seq = row.finalizedSeq ?? 0;
  const [event] = await log.read({ after: seq - 1, limit: 1 });
  if (event?.seq !== seq || event.type !== "v1.package.finalized") {
    throw corrupt(
      row,
      `The log does not hold the manifest of ${rowReference(row)} at event ${seq}.`,
    );
  }
  const actual = contentAddress(await manifestDigest(event.payload));
  if (actual === row.manifestDigest) return event.payload;
  throw corrupt(
    row,
    `The manifest of ${rowReference(row)} has the digest ${actual}, not ${row.manifestDigest}.`,
  );
}

function corrupt(row: PackageRow, message: string): StoreError {
  const context = { reference: rowReference(row), expected: row.manifestDigest };
  return new StoreError("log_corrupt", message, { context });
}
