import { openDatabase, type Database } from "@store/database";
import { openLog } from "@store/events";
import { loadDualHashing, StoreError } from "@store/identity";
import { SmallObjects, type StorageBackend } from "@store/storage";
import { uuidv7 } from "uuidv7";

import { assertActor, assertInteger, objectOf } from "./arguments.ts";
import { recordBirth } from "./commands/birth.ts";
import { Leases } from "./leases.ts";
import { Lifetime } from "./lifetime.ts";
import { MetadataValidator } from "./metadata-validator.ts";
import { catalogCommands } from "./facade/catalog.ts";
import { copyMethods, copyWalks } from "./facade/copies.ts";
import { fileCommands } from "./facade/files.ts";
import { objectQueries } from "./facade/objects.ts";
import { lifeCycle, operations } from "./facade/operations.ts";
import { packageCommands } from "./facade/packages.ts";
import { uploadMethods } from "./facade/uploads.ts";
import { catalogQueries, fileQueries, packageQueries } from "./facade/queries.ts";
import type { Instance } from "./instance.ts";
import { FailingBackends } from "./placement/failing.ts";
import { placementOf, type Placement } from "./placement/placement.ts";
import { Reports } from "./placement/reports.ts";
import type { OpenRegistryOptions, Registry } from "./registry.ts";
import { scopeOf, wholeScope, type Caller } from "./scope.ts";
import { assertUploadLimits, sessionLimits } from "./uploads/limits.ts";
import { UploadSessions } from "./uploads/sessions.ts";

const minute = 60 * 1000;
const defaults = { openPackageMs: 24 * 60 * minute, leaseMs: 2 * minute } as const;
/** The longest that a timer can wait, and so the longest lease that can be renewed in time. */
const longestLeaseMs = 2 ** 31 - 1;

/**
 * Opens an instance. An empty database is migrated and the instance's birth recorded; a database
 * that needs a migration is refused with `schema_outdated`, one that newer code wrote with
 * `schema_too_new`.
 */
export async function openRegistry(options: OpenRegistryOptions): Promise<Registry> {
  assertOptions(options);
  const owned = typeof options.database === "string";
  const database =
    typeof options.database === "string" ? await openDatabase(options.database) : options.database;
  try {
    const instance = await openInstance(database, owned, options);
    return onBehalfOf(instance, { actor: options.actor, scope: wholeScope });
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
  const { actor, clock = Date.now, ids = uuidv7, leaseMs = defaults.leaseMs } = options;
  const log = options.log ?? (await openLog(database, { clock, ids }));
  const hashing = await loadDualHashing();
  const { backends } = options;
  const placement = placementOf(backends, options.placement);
  const primary = primaryOf(placement);
  const lifetime = new Lifetime();
  const recording = { database, log, clock, actor };
  const uploadsInstance = {
    ...recording,
    placement,
    backends,
    ids,
    lifetime,
    failing: new FailingBackends(),
    reports: new Reports(recording),
    leases: new Leases(database, clock, leaseMs),
  };
  const instance: Instance = {
    ...uploadsInstance,
    primary,
    ownsDatabase,
    smallObjects: new SmallObjects({ limitBytes: options.objectMemoryBytes ?? 0 }),
    manifestDigest: (bytes) => hashing.digestBytes(bytes).primary,
    uploads: new UploadSessions(uploadsInstance, sessionLimits(options)),
    objectLimitBytes: options.objectLimitBytes,
    validator: new MetadataValidator(),
    openPackageMs: options.openPackageMs ?? defaults.openPackageMs,
  };
  if (!(await hasEvents(database))) await recordBirth(log, actor);
  return instance;
}

function primaryOf(placement: Placement): StorageBackend {
  const found = placement.backend(placement.primary);
  if (found === undefined) throw new StoreError("internal", "A placement has no primary backend.");
  return found;
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

function onBehalfOf(instance: Instance, caller: Caller): Registry {
  const { actor, scope } = caller;
  return {
    as: (other, readable) => {
      assertActor(other);
      return onBehalfOf(instance, { actor: other, scope: scopeOf(readable) });
    },
    ...instance.lifetime.guard({
      ...packageCommands(instance, caller),
      ...fileCommands(instance, caller),
      ...catalogCommands(instance, caller),
      ...uploadMethods(instance, actor),
      ...packageQueries(instance, scope),
      ...fileQueries(instance, scope),
      ...objectQueries(instance, caller),
      ...catalogQueries(instance, scope),
      ...operations(instance, caller),
      ...copyMethods(instance, caller),
    }),
    ...copyWalks(instance, caller),
    ...lifeCycle(instance, scope),
  };
}

function assertOptions(options: OpenRegistryOptions): void {
  const { actor, backends, database, leaseMs, log, openPackageMs, placement } = objectOf(
    "options",
    options,
  );
  assertActor(actor);
  if (typeof database !== "string") objectOf("database", database);
  placementOf(backends, placement);
  if (log !== undefined && objectOf("log", log).database !== database) {
    throw new StoreError(
      "invalid_argument",
      "The log is not that of the database. Open the database, then its log, and give both.",
    );
  }
  assertUploadLimits(options);
  const { objectMemoryBytes = 0 } = options;
  assertInteger("objectMemoryBytes", objectMemoryBytes, 0, Number.MAX_SAFE_INTEGER);
  if (leaseMs !== undefined) assertInteger("leaseMs", leaseMs, 4, longestLeaseMs);
  if (openPackageMs !== undefined) {
    assertInteger("openPackageMs", openPackageMs, 1, 100 * 365 * 24 * 60 * minute);
  }
}
