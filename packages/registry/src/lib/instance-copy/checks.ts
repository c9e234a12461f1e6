import type { Database } from "@store/database";
import { openLog, type EventLog, type LogHead } from "@store/events";
import { isStoreError, StoreError } from "@store/identity";
import { and, asc, eq, gt, inArray, isNull } from "drizzle-orm";

import { roleMissing } from "./object-copier.ts";
import type { CopySide } from "./types.ts";

/** Both logs, once the target is known to be a beginning of the source. */
export interface ComparedLogs {
  readonly source: EventLog;
  readonly target: EventLog;
  /** Of the target; undefined where it is empty. */
  readonly head: LogHead | undefined;
}

/**
 * Opens both logs; an empty target gets its tables.
 *
 * @throws {StoreError} `instance_not_found` where the source has no event, `schema_outdated` or
 *   `schema_too_new` of either, `precondition_failed` where the target is no beginning of the source
 */
export async function compareLogs(from: Database, to: Database): Promise<ComparedLogs> {
  if ((await from.schemaVersion()) === 0) throw nothingToCopy();
  const source = await openLog(from);
  const { logId, size } = await source.head();
  if ((await to.schemaVersion()) === 0) await to.migrate();
  const target = await openLog(to);
  const targetHead = await headOf(target);
  if (targetHead === undefined) return { source, target, head: undefined };
  if (targetHead.logId !== logId) {
    throw new StoreError(
      "precondition_failed",
      `The target is an instance of its own: its log is ${targetHead.logId}, and the source's is ` +
        `${logId}. Copy to an empty place.`,
      { context: { expected: logId, actual: targetHead.logId } },
    );
  }
  if (targetHead.size > size) {
    throw new StoreError(
      "precondition_failed",
      `The target has ${targetHead.size} events where the source has ${size}: it has gone on by ` +
        "itself, or the source was restored from a backup. Copy to an empty place.",
      { context: { limit: size, actual: targetHead.size } },
    );
  }
  const { root } = await source.headAt(targetHead.size);
  if (!isSame(root, targetHead.root))
    throw anotherBeginning(targetHead.size, root, targetHead.root);
  return { source, target, head: targetHead };
}

/**
 * Holds the head of a target that has caught up against that of the source.
 *
 * @throws {StoreError} `log_corrupt` where they differ, since the target's is made of the events
 */
export function assertReaches(head: LogHead | undefined, source: LogHead): void {
  if (head?.size === source.size && isSame(head.root, source.root)) return;
  throw new StoreError(
    "log_corrupt",
    `The events of the source have another root than its head says: ${hex(source.root)} over ` +
      `${source.size} events. Restore its database from a backup.`,
    {
      context: {
        reference: String(source.size),
        expected: hex(source.root),
        ...(head === undefined ? {} : { actual: hex(head.root) }),
      },
    },
  );
}

function anotherBeginning(size: number, expected: Uint8Array, actual: Uint8Array): StoreError {
  return new StoreError(
    "precondition_failed",
    `The first ${size} events of the target are not those of the source: their roots differ. One ` +
      "of the two has gone on by itself, or was tampered with. Copy to an empty place.",
    { context: { expected: hex(expected), actual: hex(actual) } },
  );
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

async function headOf(log: EventLog): Promise<LogHead | undefined> {
  try {
    return await log.head();
  } catch (error) {
    if (isStoreError(error, "instance_not_found")) return undefined;
    throw error;
  }
}

function nothingToCopy(): StoreError {
  return new StoreError(
    "instance_not_found",
    "The source has no instance; name the place of one that there is.",
  );
}

/**
 * Holds the roles of the source against those of the target.
 *
 * @throws {StoreError} `invalid_argument` where the source has copies at a role that the target
 *   lacks, or an object would be left behind with the roles that are left out
 */
export async function assertRoles(
  from: CopySide,
  to: CopySide,
  without: ReadonlySet<string>,
): Promise<void> {
  const copied: string[] = [];
  const left: string[] = [];
  for (const backend of await rolesOf(from.database)) {
    if (without.has(backend)) left.push(backend);
    else if (to.backends[backend] === undefined) throw roleMissing(backend);
    else copied.push(backend);
  }
  for (const backend of left) await assertElsewhere(from.database, backend, copied);
}

/** The roles that have copies, in order. */
async function rolesOf({ reader, tables }: Database): Promise<string[]> {
  const { storageLocations: t } = tables;
  const roles: string[] = [];
  for (;;) {
    const last = roles.at(-1) ?? "";
    // One step in an index each, where DISTINCT would read all of it.
    const [next] = await reader
      .select({ backend: t.backend })
      .from(t)
      .where(gt(t.backend, last))
      .orderBy(asc(t.backend))
      .limit(1);
    if (next === undefined) return roles;
    roles.push(next.backend);
  }
}

async function assertElsewhere(
  { reader, tables }: Database,
  backend: string,
  copied: readonly string[],
): Promise<void> {
  const { storageLocations: t } = tables;
  const kept = reader
    .select({ address: t.contentAddress })
    .from(t)
    .where(and(inArray(t.backend, [...copied]), eq(t.status, "ok")))
    .as("kept");
  const [only] = await reader
    .select({ address: t.contentAddress })
    .from(t)
    .leftJoin(kept, eq(kept.address, t.contentAddress))
    .where(and(eq(t.backend, backend), isNull(kept.address)))
    .limit(1);
  if (only === undefined) return;
  throw new StoreError(
    "invalid_argument",
    `The backend "${backend}" cannot be left out: ${only.address}, for one, has no whole copy at ` +
      "another that is copied. Replicate its objects first, or copy it too.",
    { context: { actual: backend, reference: only.address } },
  );
}
