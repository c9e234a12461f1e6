import type { Database } from "@store/database";
import { and, eq, lte } from "drizzle-orm";

import { addMilliseconds, formatTime } from "../times.ts";

/** A long piece of work, as it was last recorded. */
export interface WorkRow {
  readonly name: string;
  /** How far it has come; the meaning is the work's own. */
  readonly position: string;
  /** What else it has to remember, as JSON. */
  readonly state: unknown;
  /** Tells this run of the work from one that was begun anew. */
  readonly startedAt: string;
  readonly updatedAt: string;
}

interface Place {
  readonly database: Database;
  readonly clock: () => number;
}

/** The recorded work of a name, or undefined. */
export async function findWork(
  { database: { reader, tables } }: Pick<Place, "database">,
  name: string,
): Promise<WorkRow | undefined> {
  const { workPositions: t } = tables;
  const [row] = await reader.select().from(t).where(eq(t.name, name));
  return row === undefined ? undefined : { ...row, state: JSON.parse(row.state) };
}

/** The work of a name, to go on with, or a new one where there is none, or `restart` wants one. */
export function beginWork(
  { database, clock }: Place,
  fresh: { readonly name: string; readonly position: string; readonly state: unknown },
  restart: boolean,
): Promise<{ readonly row: WorkRow; readonly resumed: boolean }> {
  const { name } = fresh;
  return database.write(async ({ sql, tables: { workPositions: t } }) => {
    const [found] = await sql.select().from(t).where(eq(t.name, name));
    if (found !== undefined && !restart) {
      return { row: { ...found, state: JSON.parse(found.state) }, resumed: true };
    }
    const now = formatTime(clock());
    // Whoever still does the work that is begun anew must not take the new row for his own.
    const startedAt =
      found === undefined || found.startedAt < now ? now : addMilliseconds(found.startedAt, 1);
    const values = {
      position: fresh.position,
      state: JSON.stringify(fresh.state),
      startedAt,
      updatedAt: now,
    };
    await sql
      .insert(t)
      .values({ name, ...values })
      .onConflictDoUpdate({ target: t.name, set: values });
    return { row: { ...fresh, startedAt, updatedAt: now }, resumed: false };
  });
}

type Run = Pick<WorkRow, "name" | "startedAt">;

/** What is recorded of a run. */
interface Progress {
  readonly position: string;
  readonly state: unknown;
}

/** Records how far a run has come, unless another process has come farther in it. */
export function saveWork(place: Place, run: Run, progress: Progress): Promise<void> {
  return write(place, run, progress, true);
}

/** The same of work whose position may go back. */
export function updateWork(place: Place, run: Run, progress: Progress): Promise<void> {
  return write(place, run, progress, false);
}

async function write(
  { database, clock }: Place,
  { name, startedAt }: Run,
  { position, state }: Progress,
  onlyForward: boolean,
): Promise<void> {
  await database.write(async ({ sql, tables: { workPositions: t } }) => {
    const isRun = and(eq(t.name, name), eq(t.startedAt, startedAt));
    await sql
      .update(t)
      .set({ position, state: JSON.stringify(state), updatedAt: formatTime(clock()) })
      .where(onlyForward ? and(isRun, lte(t.position, position)) : isRun);
  });
}

/** Forgets work that has come to its end, so that the next begins at the beginning. */
export async function endWork({ database }: Pick<Place, "database">, run: Run): Promise<void> {
  await database.write(async ({ sql, tables: { workPositions: t } }) => {
    await sql.delete(t).where(and(eq(t.name, run.name), eq(t.startedAt, run.startedAt)));
  });
}
