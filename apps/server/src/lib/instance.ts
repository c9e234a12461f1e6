import { stat } from "node:fs/promises";
import { join } from "node:path";

import type { Access } from "@store/access";
import { openDatabase, type CommitReport, type Database } from "@store/database";
import { openLog, type EventLog } from "@store/events";
import { StoreError } from "@store/identity";
import { openRegistry, type Registry } from "@store/registry";
import { withDeadlines } from "@store/storage/deadline";
import { openLocalStorage } from "@store/storage-local";

import { makeFolders } from "./make-folders.ts";
import type { Settings } from "./settings.ts";

/** An opened instance, and the backends that were opened for it. */
export interface Instance {
  readonly registry: Registry;
  readonly database: Database;
  /**
   * Opens its accounts, once; closed with the instance. Apart, since most commands on this machine
   * need none.
   */
  access(): Promise<Access>;
  close(): Promise<void>;
}

export interface OpenInstanceOptions {
  /** Makes the instance where there is none. Without it, that is `instance_not_found`. */
  readonly create?: boolean;
  /** Told of each commit, for those who measure. */
  readonly onCommit?: (report: CommitReport) => void;
}

/**
 * The composition root: the one place that says which backend plays which role.
 *
 * @throws {StoreError} `instance_not_found`, and whatever opening the parts throws.
 */
export async function openInstance(
  settings: Settings,
  options: OpenInstanceOptions = {},
): Promise<Instance> {
  const { create, onCommit } = options;
  if (create) await makeFolder(settings.dataFolder);
  else await assertInstanceExists(settings);
  await assertObjectsArePresent(settings);
  // A disk that hangs is given up on in time, so that nobody waits for it for ever.
  const primary = withDeadlines(await openLocalStorage({ root: settings.objectsFolder }));
  const closing = new AsyncDisposableStack();
  closing.defer(() => primary.close());
  try {
    const database = await openDatabase(settings.databaseUrl, onCommit ? { onCommit } : {});
    closing.defer(() => database.close());
    if ((await database.schemaVersion()) === 0) await database.migrate();
    await database.assertSchemaCurrent();
    const log = await openLog(database);
    const { actor, limits } = settings;
    const registry = await openRegistry({ database, log, backends: { primary }, actor, ...limits });
    closing.defer(() => registry.close());
    let access: Promise<Access> | undefined;
    closing.defer(async () => (await access?.catch(() => undefined))?.close());
    return {
      registry,
      database,
      access: () => (access ??= openInstanceAccess(settings, log)),
      close: () => closing.disposeAsync(),
    };
  } catch (error) {
    await closing.disposeAsync();
    throw error;
  }
}

async function openInstanceAccess(settings: Settings, log: EventLog): Promise<Access> {
  const { openAccess } = await import("@store/access");
  return await openAccess({ log, ...settings.access });
}

/** The instance's database alone, made where there is none, e.g. to migrate it. */
export async function openInstanceDatabase(settings: Settings): Promise<Database> {
  await makeFolder(settings.dataFolder);
  return await openDatabase(settings.databaseUrl);
}

async function assertInstanceExists(settings: Settings): Promise<void> {
  const place = settings.databaseUrl.startsWith("sqlite:")
    ? settings.databaseUrl.slice("sqlite:".length)
    : settings.objectsFolder;
  // A database in memory begins empty with every process, so there is nothing to miss.
  if (place === ":memory:" || (await exists(place))) return;
  throw new StoreError(
    "instance_not_found",
    `There is no instance at ${place}; name another folder, or make an instance there.`,
    { context: { path: place } },
  );
}

/**
 * Refuses a root without a layout where the database knows of objects. Otherwise a disk that is not
 * mounted would become a new and empty root, healthy to look at.
 */
async function assertObjectsArePresent(settings: Settings): Promise<void> {
  const { databaseUrl, objectsFolder } = settings;
  if (await exists(join(objectsFolder, "format.json"))) return;
  if (databaseUrl.startsWith("sqlite:") && !(await exists(databaseUrl.slice(7)))) return;
  const database = await openDatabase(databaseUrl);
  try {
    if ((await database.schemaVersion()) === 0) return;
    await database.assertSchemaCurrent();
    const { objects } = database.tables;
    const address = { address: objects.contentAddress };
    const known = await database.reader.select(address).from(objects).limit(1);
    if (known.length === 0) return;
  } finally {
    await database.close();
  }
  throw new StoreError(
    "storage_unavailable",
    `The log speaks of objects, but ${objectsFolder} has no format.json: its disk is not ` +
      "mounted, or it was lost. Mount it, or restore it from a backup.",
    { context: { path: objectsFolder } },
  );
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await makeFolders(folder, 0o700);
  } catch (error) {
    const reasons = {
      EEXIST: ["invalid_argument", "a file is in the way"],
      ENOTDIR: ["invalid_argument", "a part of the path is a file"],
      ENOENT: ["invalid_argument", "no folder can be made there"],
      ENOSPC: ["storage_full", "no space is left"],
      EACCES: ["permission_denied", "access is denied"],
      EPERM: ["permission_denied", "the system does not permit it"],
      EROFS: ["permission_denied", "the file system is read-only"],
    } as const;
    const code = codeOf(error);
    const known = Object.entries(reasons).find(([name]) => name === code)?.[1];
    const [storeCode, reason] = known ?? ["storage_unavailable", String(error)];
    const message = `Cannot make the folder ${folder}: ${reason}; name another one.`;
    throw new StoreError(storeCode, message, { cause: error, context: { path: folder } });
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    const code = codeOf(error);
    if (code === "ENOENT" || code === "ENOTDIR") return false;
    throw new StoreError("permission_denied", `Cannot look at ${path}; check its permissions.`, {
      cause: error,
      context: { path },
    });
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
