import { randomUUID } from "node:crypto";

import { statement, type Database, type NewRow, type Sql } from "@store/database";
import type { ContentAddress } from "@store/identity";
import { eq, lte } from "drizzle-orm";

import type { View } from "./commands/run.ts";
import { findObject } from "./queries/find.ts";
import { formatTime } from "./times.ts";

/** A writer's claim on an address, from before its commit until its reference is recorded. */
export interface ObjectLease {
  readonly id: string;
  readonly address: ContentAddress;
}

const insertLease = statement((sql, { objectLeases }, p) =>
  sql.insert(objectLeases).values({
    leaseId: p("leaseId"),
    kind: p("kind"),
    contentAddress: p("contentAddress"),
    holder: p("holder"),
    createdAt: p("createdAt"),
    expiresAt: p("expiresAt"),
  }),
);

const deleteLease = statement((sql, { objectLeases }, p) =>
  sql.delete(objectLeases).where(eq(objectLeases.leaseId, p("leaseId"))),
);

/**
 * The leases of one process. Its first write takes a process lease, under which it stages bytes;
 * each object on its way is leased by address. A timer renews them all together while the process
 * lives, so that a sweep can tell what a dead process left behind.
 */
export class Leases {
  readonly #database: Database;
  readonly #clock: () => number;
  readonly #leaseMs: number;
  #process: Promise<string> | undefined;
  #renewal: NodeJS.Timeout | undefined;

  constructor(database: Database, clock: () => number, leaseMs: number) {
    this.#database = database;
    this.#clock = clock;
    this.#leaseMs = leaseMs;
  }

  /** The id of the process lease, taken durably before it is given. */
  process(): Promise<string> {
    this.#process ??= this.#takeProcess().catch((error: unknown) => {
      this.#process = undefined;
      throw error;
    });
    return this.#process;
  }

  /** Leases an address; says whether the instance knows the object already. */
  async takeObject(address: ContentAddress): Promise<{ lease: ObjectLease; known: boolean }> {
    const holder = await this.process();
    const lease = { id: randomUUID(), address };
    const known = await this.#database.write(async ({ sql }) => {
      const [object] = await Promise.all([
        findObject(sql, address),
        this.#insert(sql, { leaseId: lease.id, kind: "object", contentAddress: address, holder }),
      ]);
      return object !== undefined;
    });
    return { lease, known };
  }

  /** Gives a lease back, in the transaction that recorded the reference. */
  async releaseWith(view: View, lease: ObjectLease): Promise<void> {
    await deleteLease(view.sql, { leaseId: lease.id });
  }

  /** Gives a lease back where nothing was recorded. */
  async release(lease: ObjectLease): Promise<void> {
    await this.#database.write(async ({ sql }) => {
      await deleteLease(sql, { leaseId: lease.id });
    });
  }

  /** Ends renewal and gives everything back. */
  async close(): Promise<void> {
    clearInterval(this.#renewal);
    if (this.#process === undefined) return;
    const holder = await this.#process;
    this.#process = undefined;
    await this.#database.write(async ({ sql, tables: { objectLeases } }) => {
      await sql.delete(objectLeases).where(eq(objectLeases.holder, holder));
    });
  }

  async #takeProcess(): Promise<string> {
    const id = randomUUID();
    await this.#database.write(async ({ sql }) => {
      await this.#insert(sql, processLease(id));
    });
    // A renewal that fails is repeated by the next one, three more times before the lease ends.
    this.#renewal = setInterval(
      () => void this.#renew(id).catch(() => undefined),
      this.#leaseMs / 4,
    );
    this.#renewal.unref();
    return id;
  }

  async #renew(holder: string): Promise<void> {
    await this.#database.write(async ({ sql, tables: { objectLeases } }) => {
      const { changes } = await sql
        .update(objectLeases)
        .set({ expiresAt: this.#expiry() })
        .where(eq(objectLeases.holder, holder));
      // A process that slept for longer than its lease was swept; what it stages next is not.
      if (changes === 0) await this.#insert(sql, processLease(holder));
    });
  }

  async #insert(sql: Sql, lease: LeaseRow): Promise<void> {
    await insertLease(sql, {
      ...lease,
      createdAt: formatTime(this.#clock()),
      expiresAt: this.#expiry(),
    });
  }

  #expiry(): string {
    return formatTime(this.#clock() + this.#leaseMs);
  }
}

type LeaseRow = Pick<NewRow<"objectLeases">, "leaseId" | "kind" | "contentAddress" | "holder">;

/** The lease that a process holds for itself. */
function processLease(id: string): LeaseRow {
  return { leaseId: id, kind: "process", contentAddress: "", holder: id };
}

/** The ids of the leases that have not expired; removes the others' rows. */
export async function sweepLeases(
  database: Database,
  now: string,
): Promise<{ readonly alive: ReadonlySet<string>; readonly removed: number }> {
  return database.write(async ({ sql, tables: { objectLeases: t } }) => {
    const removed = await sql
      .delete(t)
      .where(lte(t.expiresAt, now))
      .returning({ leaseId: t.leaseId });
    const alive = await sql.select({ id: t.leaseId }).from(t);
    return { alive: new Set(alive.map((row) => row.id)), removed: removed.length };
  });
}
