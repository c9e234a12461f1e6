import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import { statement, type Database } from "@store/database";
import { isStoreError } from "@store/identity";
import { and, eq, gt, inArray, isNull, lte, or } from "drizzle-orm";

import { findUpload, type UploadRow } from "../queries/uploads.ts";
import { formatTime } from "../times.ts";
import { uploadLocked } from "./turns.ts";
import { UploadLock } from "./upload-lock.ts";

/** How often a process looks whether somebody else wants what it holds, and asks for what it wants. */
const watchMs = 500;
const pollMs = 100;
/** Uploads that one statement names. */
const perStatement = 200;

const takeLock = statement((sql, { uploadSessions: t }, p) =>
  sql
    .update(t)
    .set({
      lockedBy: p("holder"),
      lockedUntil: p("until"),
      lockWantedAt: null,
      expiresAt: p("expiresAt"),
    })
    .where(
      and(
        eq(t.uploadId, p("uploadId")),
        eq(t.actor, p("actor")),
        gt(t.expiresAt, p("now")),
        or(isNull(t.lockedBy), eq(t.lockedBy, p("holder")), lte(t.lockedUntil, p("now"))),
      ),
    )
    .returning(),
);

const wantLock = statement((sql, { uploadSessions: t }, p) =>
  sql
    .update(t)
    .set({ lockWantedAt: p("now") })
    .where(eq(t.uploadId, p("uploadId"))),
);

const freeLock = statement((sql, { uploadSessions: t }, p) =>
  sql
    .update(t)
    .set({ lockedBy: null, lockedUntil: null })
    .where(and(eq(t.uploadId, p("uploadId")), eq(t.lockedBy, p("holder")))),
);

const extendLeases = statement((sql, { objectLeases: t }, p) =>
  sql
    .update(t)
    .set({ expiresAt: p("expiresAt") })
    .where(eq(t.leaseId, p("uploadId"))),
);

export interface LockOptions {
  readonly database: Database;
  readonly clock: () => number;
  readonly lockMs: number;
  /** How long an upload lives after a change. */
  readonly uploadMs: number;
}

/**
 * Locks on uploads, across the processes of an instance: rows that name their holder and a time.
 * The holder renews that time while it works, and gives way when another process says that it
 * wants the lock. A holder that was stopped loses its lock once the time is over, and finds so
 * before it writes: it trusts its lock for three quarters of the time, by a clock that never goes
 * back, and the others wait for all of it.
 */
export class UploadLocks {
  readonly #options: LockOptions;
  readonly #holder = randomUUID();
  readonly #held = new Map<string, UploadLock>();
  /** Uploads whose lock could not be given back yet. */
  readonly #owed = new Set<string>();
  #watching: NodeJS.Timeout | undefined;
  #looking = false;
  #closed = false;

  constructor(options: LockOptions) {
    this.#options = options;
  }

  /** The id under which this process holds its locks. */
  get holder(): string {
    return this.#holder;
  }

  /** How long to wait for a lock: a crashed holder's ends meanwhile. */
  get patienceMs(): number {
    return this.#options.lockMs + 4 * watchMs;
  }

  /**
   * Takes the lock, and with it the upload's row; extends the upload's life.
   *
   * @throws {StoreError} `upload_not_found`, or `upload_locked` where the other does not end
   */
  async take(
    uploadId: string,
    actor: string,
    signal: AbortSignal,
  ): Promise<{ readonly lock: UploadLock; readonly row: UploadRow }> {
    const giveUpAt = performance.now() + this.patienceMs;
    for (;;) {
      signal.throwIfAborted();
      this.#owed.delete(uploadId);
      const lock = new UploadLock(uploadId, this.#options.lockMs);
      const row = await this.#tryTake(uploadId, actor).catch((error: unknown) => {
        // A commit whose outcome is unknown may have taken it.
        if (!isStoreError(error, "upload_not_found")) this.#owe(uploadId);
        throw error;
      });
      if (row !== undefined) {
        this.#held.set(uploadId, lock);
        this.#watchFromNow();
        return { lock, row };
      }
      if (performance.now() > giveUpAt) {
        throw uploadLocked(uploadId, "another process works on it and does not end");
      }
      await sleep(pollMs);
    }
  }

  /** Throws `upload_locked` unless the lock is held: to be asked before bytes are written. */
  async assure(lock: UploadLock): Promise<void> {
    if (!lock.isTrusted) await this.#renew([lock]);
    lock.assertHeld();
  }

  /** Gives the lock back; later, where the database does not answer now. */
  async free(lock: UploadLock): Promise<void> {
    const { uploadId } = lock;
    if (this.#held.get(uploadId) === lock) this.#held.delete(uploadId);
    this.#owed.add(uploadId);
    await this.#freeOwed(uploadId).catch(() => this.#owe(uploadId));
  }

  /** Looks after nothing any more: locks that could not be given back end by their time. */
  close(): void {
    clearInterval(this.#watching);
    this.#watching = undefined;
    this.#closed = true;
  }

  #owe(uploadId: string): void {
    this.#owed.add(uploadId);
    this.#watchFromNow();
  }

  #watchFromNow(): void {
    if (this.#closed) return;
    this.#watching ??= setInterval(() => void this.#watch(), this.#watchMs).unref();
  }

  async #freeOwed(uploadId: string): Promise<void> {
    const { database } = this.#options;
    await database.write(async ({ sql }) => {
      // Somebody here may have begun to take it again.
      if (this.#owed.has(uploadId)) await freeLock(sql, { uploadId, holder: this.#holder });
    });
    this.#owed.delete(uploadId);
  }

  get #watchMs(): number {
    return Math.min(watchMs, this.#options.lockMs / 4);
  }

  #tryTake(uploadId: string, actor: string): Promise<UploadRow | undefined> {
    const { database, clock, lockMs } = this.#options;
    return database.write(async ({ sql }) => {
      const now = formatTime(clock());
      const [row] = await takeLock(sql, {
        uploadId,
        actor,
        holder: this.#holder,
        now,
        until: formatTime(clock() + lockMs),
        expiresAt: this.#expiresAt(),
      });
      if (row === undefined) {
        await findUpload(sql, { uploadId, actor, now });
        await wantLock(sql, { uploadId, now });
        return undefined;
      }
      await extendLeases(sql, { uploadId, expiresAt: row.expiresAt });
      return row;
    });
  }

  /** Gives way where somebody wants a lock, and renews those that are due. */
  async #watch(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    try {
      for (const uploadId of this.#owed) await this.#freeOwed(uploadId);
      const locks = [...this.#held.values()];
      for (let from = 0; from < locks.length; from += perStatement) {
        const some = locks.slice(from, from + perStatement);
        await this.#look(some);
        await this.#renew(some.filter((lock) => lock.isDue));
      }
    } catch {
      // The next look tries again; a lock that is not renewed in time is not trusted.
    } finally {
      this.#looking = false;
    }
    if (this.#held.size > 0 || this.#owed.size > 0) return;
    clearInterval(this.#watching);
    this.#watching = undefined;
  }

  async #look(locks: readonly UploadLock[]): Promise<void> {
    const { reader, tables } = this.#options.database;
    const { uploadSessions: t } = tables;
    const rows = await reader
      .select({ uploadId: t.uploadId, lockedBy: t.lockedBy, wantedAt: t.lockWantedAt })
      .from(t)
      .where(inArray(t.uploadId, idsOf(locks)));
    for (const row of rows) {
      if (row.wantedAt !== null) this.#held.get(row.uploadId)?.giveWay();
    }
  }

  async #renew(locks: readonly UploadLock[]): Promise<void> {
    if (locks.length === 0) return;
    const { database, clock, lockMs } = this.#options;
    const began = performance.now();
    const renewed = await database.write(async ({ sql, tables: { uploadSessions: t } }) => {
      const now = formatTime(clock());
      const expiresAt = this.#expiresAt();
      const rows = await sql
        .update(t)
        .set({ lockedUntil: formatTime(clock() + lockMs), expiresAt })
        .where(
          and(
            inArray(t.uploadId, idsOf(locks)),
            eq(t.lockedBy, this.#holder),
            gt(t.expiresAt, now),
          ),
        )
        .returning({ uploadId: t.uploadId });
      for (const { uploadId } of rows) await extendLeases(sql, { uploadId, expiresAt });
      return new Set(rows.map(({ uploadId }) => uploadId));
    });
    for (const lock of locks) {
      if (renewed.has(lock.uploadId)) lock.renewed(began);
      else lock.lose();
    }
  }

  #expiresAt(): string {
    return formatTime(this.#options.clock() + this.#options.uploadMs);
  }
}

function idsOf(locks: readonly UploadLock[]): string[] {
  return locks.map(({ uploadId }) => uploadId);
}
