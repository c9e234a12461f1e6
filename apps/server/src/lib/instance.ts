import { stat } from "node:fs/promises";
import { isAbsolute, relative, sep } from "node:path";

import type { Access } from "@store/access";
import { openDatabase, type CommitReport, type Database } from "@store/database";
import { openLog, type EventLog } from "@store/events";
import { StoreError } from "@store/identity";
import { openRegistry, type Registry } from "@store/registry";
import type { StorageBackend } from "@store/storage";

import { makeFolders } from "./make-folders.ts";
import type { Settings } from "./settings.ts";
import { openBackends } from "./storage/open-backends.ts";
import { placesOf } from "./storage/places.ts";

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

/** The parts of an instance that keep something. */
export interface InstanceParts {
  readonly database: Database;
  /** By name. */
  readonly backends: Record<string, StorageBackend>;
  close(): Promise<void>;
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
  const parts = await openInstanceParts(settings, options);
  const closing = new AsyncDisposableStack();
  closing.defer(() => parts.close());
  try {
    const { database, backends } = parts;
    const { actor, limits, storage } = settings;
    const log = await openLog(database);
    const placement = { ...storage.placement, places: placesOf(storage) };
    const registry = await openRegistry({ database, log, backends, placement, actor, ...limits });
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

/**
 * The database and the backends of an instance without what makes one of them: an empty place gets
 * its tables, but no log of its own, so that it can become the copy of another.
 *
 * @throws {StoreError} like {@link openInstance}
 */
export async function openInstanceParts(
  settings: Settings,
  { create, onCommit }: OpenInstanceOptions = {},
): Promise<InstanceParts> {
  if (create) await makeDataFolder(settings);
  else await assertInstanceExists(settings);
  const closing = new AsyncDisposableStack();
  try {
    const database = await openDatabase(settings.databaseUrl, {
      ...settings.database,
      ...(onCommit === undefined ? {} : { onCommit }),
    });
    closing.defer(() => database.close());
    await migrateIfEmpty(database, settings, create === true);
    const backends = await openBackends(settings.storage, database);
    closing.defer(() => closeAll(backends));
    return { database, backends, close: () => closing.disposeAsync() };
  } catch (error) {
    await closing.disposeAsync();
    throw error;
  }
}

async function openInstanceAccess(settings: Settings, log: EventLog): Promise<Access> {
  const { openAccess } = await import("@store/access");
  return await openAccess({ log, ...settings.access });
}

/** @throws {StoreError} `instance_not_found` for an empty database in which none may be made */
async function migrateIfEmpty(
  database: Database,
  { databaseUrl }: Settings,
  create: boolean,
): Promise<void> {
  if ((await database.schemaVersion()) === 0) {
    // A database in memory, or a file just made, begins empty.
    if (!create && !databaseUrl.startsWith("sqlite:")) {
      throw new StoreError(
        "instance_not_found",
        "There is no instance in that database; name another one, or make an instance there.",
      );
    }
    await database.migrate();
  }
  await database.assertSchemaCurrent();
}

async function closeAll(backends: Readonly<Record<string, StorageBackend>>): Promise<void> {
  await Promise.all(Object.values(backends).map((backend) => backend.close()));
}

/**
 * The instance's database alone, e.g. to migrate it; made where there is none, unless `create` is
 * false.
 *
 * @throws {StoreError} `instance_not_found`, and whatever opening a database throws
 */
export async function openInstanceDatabase(
  settings: Settings,
  { create = true }: OpenInstanceOptions = {},
): Promise<Database> {
  if (create) await makeDataFolder(settings);
  else await assertInstanceExists(settings);
  return await openDatabase(settings.databaseUrl, settings.database);
}

async function assertInstanceExists(settings: Settings): Promise<void> {
  // What is in no file here is looked at when it is opened.
  const place = placeOf(settings);
  // A database in memory begins empty with every process, so there is nothing to miss.
  if (place === undefined || place === ":memory:" || (await exists(place))) return;
  throw new StoreError(
    "instance_not_found",
    `There is no instance at ${place}; name another folder, or make an instance there.`,
    { context: { path: place } },
  );
}

/** An instance that keeps nothing in the folder needs none, and none is made for nothing. */
async function makeDataFolder({ databaseUrl, dataFolder, storage }: Settings): Promise<void> {
  const roots = Object.values(storage.backends).flatMap((each) =>
    each.kind === "local" ? [each.root] : [],
  );
  const isUsed = roots.some((root) => isWithin(dataFolder, root));
  if (isUsed || databaseUrl.startsWith("sqlite:")) await makeFolder(dataFolder);
}

function isWithin(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

/** The file or folder of this machine that an instance cannot be without. */
function placeOf({ databaseUrl, storage }: Settings): string | undefined {
  if (databaseUrl.startsWith("sqlite:")) return databaseUrl.slice("sqlite:".length);
  const primary = storage.backends[storage.placement.primary];
  return primary?.kind === "local" ? primary.root : undefined;
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
