import { stat } from "node:fs/promises";
import { join } from "node:path";

import type { Database } from "@store/database";
import { isStoreError, StoreError } from "@store/identity";
import { hasCopies } from "@store/registry";
import type { StorageBackend } from "@store/storage";
import { withDeadlines } from "@store/storage/deadline";
import { openLocalStorage } from "@store/storage-local";

import { LateBackend } from "./late-backend.ts";
import type { BackendSettings, S3BackendSettings, StorageSettings } from "./storage-settings.ts";

/**
 * Opens every backend of an instance, by name. The primary has to open; another that does not is
 * tried again when it is needed, so that an instance starts while a mirror is away.
 *
 * @throws {StoreError} what opening the primary throws; `storage_unavailable` where a backend of
 *   which the views speak is empty, since its disk or bucket is then not the one that it was;
 *   `invalid_argument` for settings that can never be right
 */
export async function openBackends(
  { backends, placement }: StorageSettings,
  database: Database,
): Promise<Record<string, StorageBackend>> {
  const opened: Record<string, StorageBackend> = {};
  try {
    for (const [name, settings] of Object.entries(backends)) {
      const open = () => openBackend(name, settings, database);
      opened[name] =
        name === placement.primary ? await open() : await openLate(name, settings, open);
    }
    return opened;
  } catch (error) {
    await Promise.allSettled(Object.values(opened).map((backend) => backend.close()));
    throw error;
  }
}

async function openLate(
  name: string,
  settings: BackendSettings,
  open: () => Promise<StorageBackend>,
): Promise<StorageBackend> {
  try {
    return await open();
  } catch (error) {
    if (isStoreError(error, "storage_unavailable") || isStoreError(error, "permission_denied")) {
      return new LateBackend(name, settings.kind, open, error);
    }
    throw error;
  }
}

async function openBackend(
  name: string,
  settings: BackendSettings,
  database: Database,
): Promise<StorageBackend> {
  const isNew = !(await hasCopies(database, name));
  if (settings.kind === "s3") return openBucket(settings, isNew);
  if (!isNew) await assertLayout(name, settings.root);
  // A disk that hangs is given up on in time, so that nobody waits for it for ever.
  return withDeadlines(await openLocalStorage({ root: settings.root }));
}

/** Without keys in the settings, those of the environment, a profile or the machine are used. */
async function openBucket(settings: S3BackendSettings, create: boolean): Promise<StorageBackend> {
  // Its library is large, and most instances are on a disk.
  const { openS3Storage } = await import("@store/storage-s3");
  const { kind: _, ...options } = settings;
  return await openS3Storage({ ...options, create });
}

/**
 * Refuses a root without a layout where the views speak of objects in it. Otherwise a disk that is
 * not mounted would become a new and empty root, healthy to look at.
 */
async function assertLayout(name: string, root: string): Promise<void> {
  try {
    await stat(join(root, "format.json"));
  } catch (cause) {
    throw new StoreError(
      "storage_unavailable",
      `The log speaks of objects at "${name}", but ${root} has no format.json that can be seen: ` +
        "its disk is not mounted, or it was lost. Mount it, or restore it from a backup.",
      { cause, context: { path: root } },
    );
  }
}
