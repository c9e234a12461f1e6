import { randomUUID } from "node:crypto";

import { statement, type Database, type NewRow, type Sql, type Tables } from "@store/database";
import { isStoreError, StoreError, type ContentAddress } from "@store/identity";
import { and, eq, lte } from "drizzle-orm";

import { findObject } from "./queries/objects.ts";
import { formatTime } from "./times.ts";

/** Where leases are looked up. */
interface LeasePlace {
  readonly sql: Sql;
  readonly tables: Tables;
}

/** A writer's claim on an address, from before its commit until its reference is recorded. */
export interface ObjectLease {
  readonly id: string;
  readonly address: ContentAddress;
}

const putLease = statement((sql, { objectLeases: t }, p) =>
  sql
    .insert(t)
    .values({
      leaseId: p("leaseId"),
      kind: p("kind"),
      contentAddress: p("contentAddress"),
      holder: p("holder"),
      createdAt: p("createdAt"),
      expiresAt: p("expiresAt"),
    })
    .onConflictDoUpdate({
      target: [t.leaseId, t.contentAddress],
      set: { holder: p("holder"), expiresAt: p("expiresAt") },
    }),
);

/** Of its holder alone: one that ran out may be another's by now, under the same id. */
const deleteLease = statement((sql, { objectLeases: t }, p) =>
  sql.delete(t).where(and(eq(t.leaseId, p("leaseId")), eq(t.holder, p("holder")))),
);

/** From then on nobody renews it. */
const abandonLease = statement((sql, { objectLeases: t }, p) =>
  sql
    .update(t)
    .set({ holder: "" })
    .where(and(eq(t.leaseId, p("leaseId")), eq(t.contentAddress, p("address")))),
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
  /** Leases that could not be given back yet; the next renewal tries again. */
  readonly #owed = new Set<string>();
  /** Leases that are to end by their time, by id and address, where the database did not hear it. */
  readonly #runningOut = new Map<string, ObjectLease>();
  #holder = "";
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
    const taken = await this.takeUnless(randomUUID(), address, async () => false);
    if (taken === undefined) throw new StoreError("internal", "Nothing bars a lease on an object.");
    return taken;
  }

  /** The same under an id of the caller's; undefined where that bars it, in the same transaction. */
  async takeUnless(
    id: string,
    address: ContentAddress,
    isBarred: (tx: LeasePlace) => Promise<boolean>,
  ): Promise<{ lease: ObjectLease; known: boolean } | undefined> {
    const holder = await this.process();
    const lease = { id, address };
    try {
      return await this.#database.write(async (tx) => {
        if (await isBarred(tx)) return undefined;
        const [object] = await Promise.all([
          findObject(tx.sql, address),
          this.takeWith(tx.sql, lease, holder),
        ]);
        return { lease, known: object !== undefined };
      });
    } catch (error) {
      // A commit whose outcome is unknown may have taken it.
      this.#owed.add(lease.id);
      throw error;
    }
  }

  /** Leases an address, in a transaction, for a process that has its own lease. */
  async takeWith(sql: Sql, { id, address }: ObjectLease, holder: string): Promise<void> {
    this.#runningOut.delete(`${id} ${address}`);
    await this.#put(sql, { leaseId: id, kind: "object", contentAddress: address, holder });
  }

  /**
   * Renews a lease no more: what it stands for may have been done or not, or be done yet, and until
   * its time is over others are to keep away.
   */
  async letRunOut(lease: ObjectLease): Promise<void> {
    this.#runningOut.set(`${lease.id} ${lease.address}`, lease);
    await this.#abandon().catch(() => undefined);
  }

  /**
   * Leases the writing anew of a damaged object, which one alone in all processes may do; undefined
   * while another has it. It is given back like the lease on an object.
   */
  async takeMending(address: ContentAddress): Promise<ObjectLease | undefined> {
    const holder = await this.process();
    const lease = { id: `mending-${address}`, address };
    const now = formatTime(this.#clock());
    const taking = this.#database.write(async ({ sql, tables: { objectLeases: t } }) => {
      await sql.delete(t).where(and(eq(t.leaseId, lease.id), lte(t.expiresAt, now)));
      const { changes } = await sql
        .insert(t)
        .values({
          leaseId: lease.id,
          kind: "object",
          contentAddress: address,
          holder,
          createdAt: now,
          expiresAt: this.#expiry(),
        })
        .onConflictDoNothing();
      return changes > 0;
    });
    try {
      if (!(await taking)) return undefined;
      // One of before that is still owed is this one now.
      this.#owed.delete(lease.id);
      return lease;
    } catch (error) {
      // A commit whose outcome is unknown may have taken it.
      this.#owed.add(lease.id);
      throw error;
    }
  }

  /**
   * Gives a lease back in the transaction that records the reference.
   *
   * @throws {StoreError} `staged_not_found` where the lease is gone: nothing has protected the
   *   object since, so that nobody may refer to it before it is looked at again
   */
  async giveBackWith(sql: Sql, lease: ObjectLease): Promise<void> {
    const { changes } = await deleteLease(sql, { leaseId: lease.id, holder: this.#holder });
    if (changes > 0) return;
    throw new StoreError(
      "staged_not_found",
      `The lease on ${lease.address} ran out, as this process was stopped for longer than leases ` +
        "last. Send the bytes again.",
      { context: { actual: lease.address } },
    );
  }

  /** Gives a lease back where nothing was recorded; later, if the database does not answer now. */
  async giveBack(lease: ObjectLease): Promise<void> {
    this.#owed.add(lease.id);
    await this.#giveBackOwed([lease.id]).catch(() => undefined);
  }

  /** Ends renewal and gives everything back; what a database that is away has ends by its time. */
  async close(): Promise<void> {
    clearInterval(this.#renewal);
    const holder = await this.#process?.catch(() => undefined);
    this.#process = undefined;
    if (holder === undefined) return;
    try {
      await this.#database.write(async ({ sql, tables: { objectLeases } }) => {
        await sql.delete(objectLeases).where(eq(objectLeases.holder, holder));
      });
    } catch (error) {
      if (!isStoreError(error, "database_unavailable")) throw error;
    }
  }

  async #takeProcess(): Promise<string> {
    const id = randomUUID();
    await this.#database.write(async ({ sql }) => {
      await this.#put(sql, processLease(id));
    });
    this.#holder = id;
    // A renewal that fails is repeated by the next one, three more times before the lease ends.
    this.#renewal = setInterval(
      () => void this.#renew(id).catch(() => undefined),
      this.#leaseMs / 4,
    );
    this.#renewal.unref();
    return id;
  }

  async #renew(holder: string): Promise<void> {
    await this.#giveBackOwed([...this.#owed]);
    await this.#abandon();
    await this.#database.write(async ({ sql, tables: { objectLeases: t } }) => {
      await sql.update(t).set({ expiresAt: this.#expiry() }).where(eq(t.holder, holder));
      // A process that slept for longer than its lease was swept; what it stages next is not.
      await this.#put(sql, processLease(holder));
    });
  }

  async #giveBackOwed(leaseIds: readonly string[]): Promise<void> {
    if (leaseIds.length === 0) return;
    const holder = this.#holder;
    await this.#database.write(async ({ sql }) => {
      await Promise.all(leaseIds.map((leaseId) => deleteLease(sql, { leaseId, holder })));
    });
    for (const leaseId of leaseIds) this.#owed.delete(leaseId);
  }

  async #abandon(): Promise<void> {
    const leases = [...this.#runningOut];
    if (leases.length === 0) return;
    await this.#database.write(async ({ sql }) => {
      await Promise.all(
        leases.map(([, { id: leaseId, address }]) => abandonLease(sql, { leaseId, address })),
      );
    });
    for (const [key, lease] of leases) {
      if (this.#runningOut.get(key) === lease) this.#runningOut.delete(key);
    }
  }

  async #put(sql: Sql, lease: LeaseRow): Promise<void> {
    await putLease(sql, {
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
