import { openDatabase, type Database } from "@store/database";
import { openLog, type EventLog } from "@store/events";
import { loadDualHashing, StoreError } from "@store/identity";
import { uuidv7 } from "uuidv7";

import { recordBirth } from "./commands/birth.ts";
import { Leases } from "./leases.ts";
import { MetadataValidator } from "./metadata-validator.ts";
import { catalogCommands } from "./facade/catalog.ts";
import { fileCommands } from "./facade/files.ts";
import { operations } from "./facade/operations.ts";
import { packageCommands } from "./facade/packages.ts";
import { queries } from "./facade/queries.ts";
import type { Instance } from "./instance.ts";
import type { OpenRegistryOptions, Registry } from "./registry.ts";

const defaults = { openPackageMs: 24 * 60 * 60 * 1000, leaseMs: 2 * 60 * 1000 } as const;

/**
 * Opens an instance. An empty database is migrated and the instance's birth recorded; a database
 * that needs a migration is refused with `schema_outdated`, one that newer code wrote with
 * `schema_too_new`.
 */
export async function openRegistry(options: OpenRegistryOptions): Promise<Registry> {
  assertActor(options.actor);
  const owned = typeof options.database === "string";
  const database =
    typeof options.database === "string" ? await openDatabase(options.database) : options.database;
  try {
    const instance = await openInstance(database, owned, options);
    return onBehalfOf(instance, options.actor);
  } catch (error) {
    if (owned) await database.close();
    throw error;
  }
}

async function openInstance(
  database: Database,
  ownsDatabase: boolean,
  options: OpenRegistryOptions,
): Promise<Instance> {
  await prepareSchema(database);
  const clock = options.clock ?? Date.now;
  const ids = options.ids ?? uuidv7;
  const log: EventLog = await openLog(database, { clock, ids });
  const hashing = await loadDualHashing();
  const instance: Instance = {
    database,
    ownsDatabase,
    log,
    primary: options.backends.primary,
    backends: options.backends,
    clock,
    ids,
    manifestDigest: (bytes) => hashing.digestBytes(bytes).primary,
    leases: new Leases(database, clock, options.leaseMs ?? defaults.leaseMs),
    validator: new MetadataValidator(),
    openPackageMs: options.openPackageMs ?? defaults.openPackageMs,
    mayReadObject: options.mayReadObject ?? (() => Promise.resolve(true)),
  };
  if (!(await hasEvents(database))) await recordBirth(log, options.actor);
  return instance;
}

/** Whether the log has begun; only one that has not takes the writer's lock to open. */
async function hasEvents({ reader, tables }: Database): Promise<boolean> {
  const heads = await reader.select({ size: tables.logHead.size }).from(tables.logHead);
  return (heads[0]?.size ?? 0) > 0;
}

async function prepareSchema(database: Database): Promise<void> {
  if ((await database.schemaVersion()) === 0) await database.migrate();
  await database.assertSchemaCurrent();
}

function onBehalfOf(instance: Instance, actor: string): Registry {
  return {
    as: (other) => {
      assertActor(other);
      return onBehalfOf(instance, other);
    },
    ...packageCommands(instance, actor),
    ...fileCommands(instance, actor),
    ...catalogCommands(instance, actor),
    ...queries(instance),
    ...operations(instance, actor),
  };
}

function assertActor(actor: string): void {
  if (actor.length > 0 && Buffer.byteLength(actor) <= 256 && !/[\p{Cc}\p{Cs}]/u.test(actor)) return;
  throw new StoreError(
    "invalid_argument",
    "An actor is an opaque id of 1 to 256 bytes without control characters.",
    { context: { limit: 256 } },
  );
}
