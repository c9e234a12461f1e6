import { open } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";

import { StoreError } from "@store/identity";

import { systemError } from "../system-error.ts";

/** Longer than refreshing a session may take. */
const waitMs = 60_000;
const pauseMs = 20;
const sqliteBusy = 5;

/**
 * Works while no other process holds the lock of a file. Node.js cannot lock files, but its SQLite
 * does: the lock is that of an empty database, which the system frees when its holder ends, however
 * it ends. So no lock is ever stale.
 *
 * @throws {StoreError} `storage_unavailable` where another process holds it for a minute.
 */
export async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  await makeFile(path);
  const { DatabaseSync } = await import("node:sqlite");
  const database = new DatabaseSync(path);
  try {
    const until = performance.now() + waitMs;
    while (!tryLock(() => database.exec("BEGIN EXCLUSIVE"))) {
      if (performance.now() > until) throw heldTooLong(path);
      await setTimeout(pauseMs + Math.random() * pauseMs);
    }
    return await work();
  } finally {
    database.close();
  }
}

/** For its owner alone, since whoever may read it may hold it. */
async function makeFile(path: string): Promise<void> {
  try {
    await using _handle = await open(path, "a", 0o600);
  } catch (error) {
    throw systemError(error, "write", path);
  }
}

function tryLock(lock: () => void): boolean {
  try {
    lock();
    return true;
  } catch (error) {
    if (error instanceof Error && "errcode" in error && error.errcode === sqliteBusy) return false;
    throw error;
  }
}

function heldTooLong(path: string): StoreError {
  return new StoreError(
    "storage_unavailable",
    `Another process has held ${path} for ${waitMs / 1000} seconds; end it and try again.`,
    { context: { path } },
  );
}
