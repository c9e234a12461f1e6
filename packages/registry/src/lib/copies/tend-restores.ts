import { isStoreError, parseContentAddress } from "@store/identity";

import type { CopyRow } from "../queries/copies.ts";
import { backendOf, type CopyContext } from "./context.ts";
import { healthInTime } from "./endurance.ts";
import { beginWork, endWork, findWork, updateWork } from "./positions.ts";
import { recordFinding, recordRetrieval } from "./recording.ts";
import { selectRestoring } from "./rows.ts";

/** Copies that one round asks for. */
const atOnce = 256;
/** How long after all were asked they are asked again. */
const pauseMs = 60_000;

/**
 * Asks a backend with an archive about the copies whose restore is under way or done, a page a
 * round, and records what is another thing by now: restored, or not so any more.
 */
export async function tendRestores(
  context: CopyContext,
  backend: string,
): Promise<{ readonly changed: number; readonly more: boolean }> {
  const { instance, signal } = context;
  const { clock, database } = instance;
  if (!backendOf(instance, backend).capabilities.restores) return { changed: 0, more: false };
  const name = `restores:${backend}`;
  const last = await findWork(instance, name);
  const after = last?.position === "" ? undefined : last?.position;
  const isResting = last !== undefined && clock() < Date.parse(last.updatedAt) + pauseMs;
  if (after === undefined && isResting) return { changed: 0, more: false };
  const rows = await selectRestoring({ sql: database.reader, tables: database.tables }, backend, {
    after,
    limit: atOnce,
  });
  if (rows.length === 0 && after === undefined) {
    if (last !== undefined) await endWork(instance, last);
    return { changed: 0, more: false };
  }
  let changed = 0;
  for (const row of rows) {
    signal.throwIfAborted();
    try {
      if (await ask(context, row)) changed += 1;
    } catch (error) {
      if (!isStoreError(error)) throw error;
      // It is asked again in the next turn, and so are the others where nobody answers.
      if (!(await healthInTime(backendOf(instance, backend))).healthy) break;
    }
  }
  const next = rows.length < atOnce ? undefined : rows.at(-1)?.contentAddress;
  const { row } = await beginWork(instance, { name, position: "", state: {} }, false);
  await updateWork(instance, row, { position: next ?? "", state: {} });
  return { changed, more: next !== undefined };
}

/** Whether what the backend says of a copy was news. */
async function ask({ instance, recorder }: CopyContext, row: CopyRow): Promise<boolean> {
  const copy = { address: parseContentAddress(row.contentAddress), backend: row.backend };
  const stat = await backendOf(instance, row.backend).stat(copy.address);
  const outcome = await (stat === undefined
    ? recordFinding(recorder, copy, row, "missing")
    : recordRetrieval(recorder, copy, stat.retrieval, row));
  return outcome === "recorded";
}
