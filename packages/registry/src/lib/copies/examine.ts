import { isStoreError } from "@store/identity";
import { verifyObject, type ObjectRetrieval } from "@store/storage";

import type { CopyRow } from "../queries/copies.ts";
import { isLocked } from "../retrieval.ts";
import { backendOf, type CopyContext } from "./context.ts";
import { at, failureAt } from "./failure.ts";
import {
  recordFinding,
  recordRetrieval,
  type CopyName,
  type Finding,
  type Outcome,
} from "./recording.ts";
import type { KnownObject } from "./rows.ts";

/** What a copy turned out to be, and what was recorded of that. */
export interface Examined {
  readonly found: Finding | "archived";
  readonly outcome: Outcome;
  readonly readBytes: number;
}

/** Reads a copy whole and holds it against both digests; records what that changes. */
export async function examineCopy(
  context: CopyContext,
  object: KnownObject,
  row: CopyRow,
): Promise<Examined> {
  const { instance, recorder } = context;
  const copy = { address: object.address, backend: row.backend };
  if (backendOf(instance, row.backend).capabilities.restores) {
    const examined = await lookUp(context, copy, object.sizeBytes, row);
    if (examined !== undefined) return examined;
  }
  const { found, readBytes } = await readCopy(context, object, row.backend);
  const outcome =
    found === "archived"
      ? await recordRetrieval(recorder, copy, inArchive)
      : await recordFinding(recorder, copy, row, found);
  return { found, outcome, readBytes };
}

/** How a copy can be read of which only is known that it cannot. */
export const inArchive: ObjectRetrieval = { tier: "archive", restore: "none" };

/** Reads what stands at a backend, whatever is known of it. */
export async function readCopy(
  { instance, signal }: CopyContext,
  { address, sha256, sizeBytes }: KnownObject,
  backend: string,
): Promise<Pick<Examined, "found" | "readBytes">> {
  let readBytes = 0;
  try {
    const { status } = await verifyObject(backendOf(instance, backend), address, {
      expect: { sha256, sizeBytes },
      signal,
      onProgress: (bytes) => {
        readBytes = bytes;
      },
    });
    return { found: status, readBytes };
  } catch (error) {
    if (isStoreError(error, "restore_required")) return { found: "archived", readBytes };
    throw failureAt(backend, error);
  }
}

/** Asks a backend with an archive how a copy can be read; undefined where it can be. */
async function lookUp(
  { instance, recorder }: CopyContext,
  copy: CopyName,
  sizeBytes: number,
  row: CopyRow,
): Promise<Examined | undefined> {
  const stat = await at(copy.backend, backendOf(instance, copy.backend).stat(copy.address));
  if (stat === undefined) {
    const outcome = await recordFinding(recorder, copy, row, "missing");
    return { found: "missing", outcome, readBytes: 0 };
  }
  const outcome = await recordRetrieval(recorder, copy, stat.retrieval, row);
  if (!isLocked(stat.retrieval)) return undefined;
  if (stat.sizeBytes === sizeBytes) return { found: "archived", outcome, readBytes: 0 };
  // Its size needs no restore to be told.
  const found = await recordFinding(recorder, copy, row, "corrupt");
  return { found: "corrupt", outcome: found, readBytes: 0 };
}
