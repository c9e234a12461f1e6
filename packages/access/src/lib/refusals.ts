import type { Database, Row, WriteTransaction } from "@store/database";
import { storeErrorCodes, type StoreErrorCode } from "@store/identity";
import type { Page, PageOptions } from "@store/registry";
import { cursorOf, pageLimit, pageOf } from "@store/registry/pages";
import { desc, gte, lt, sql as raw } from "drizzle-orm";
import * as v from "valibot";

import { formatTime } from "./times.ts";
import type { Refusal, RefusalInfo } from "./types.ts";

/** How many wait to be written; what comes above is only counted. */
const mostWaiting = 1_000;
/** Rows of one statement: nine values each, within what both databases take. */
const perStatement = 250;
const digits = 16;

const cursor = cursorOf("refusals", [v.pipe(v.string(), v.regex(/^\d{16}$/))]);

type Waiting = Refusal & { readonly refusedAt: string };

/**
 * Refused requests, in a table of so many slots outside the log: nobody can make it grow from
 * outside. They are counted through, across processes; the number gives the slot.
 */
export class RefusalRing {
  readonly #database: Database;
  readonly #clock: () => number;
  readonly #slots: number;
  #waiting: Waiting[] = [];
  #dropped = 0;

  constructor(database: Database, clock: () => number, slots: number) {
    this.#database = database;
    this.#clock = clock;
    this.#slots = slots;
  }

  get dropped(): number {
    return this.#dropped;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  add({ code, address, actor, method, path, requestId }: Refusal): void {
    if (this.#waiting.length >= Math.min(mostWaiting, this.#slots)) {
      this.#dropped += 1;
      return;
    }
    this.#waiting.push({
      code,
      address: shortened(address, 64),
      actor: shortened(actor, 256),
      method: shortened(method, 16),
      // A query may hold what is nobody's business.
      path: shortened(path.replace(/[?#].*$/s, ""), 512),
      requestId: shortened(requestId, 128),
      refusedAt: formatTime(this.#clock()),
    });
  }

  /** Writes what waits, in one transaction. */
  async flush(): Promise<void> {
    if (this.isEmpty) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    try {
      await this.#database.write((tx) => this.#write(tx, waiting));
    } catch (error) {
      this.#dropped += waiting.length;
      throw error;
    }
  }

  async #write({ sql, tables }: WriteTransaction, waiting: readonly Waiting[]): Promise<void> {
    const t = tables.accessRefusals;
    const [newest] = await sql.select().from(t).orderBy(desc(t.refusalId)).limit(1);
    const next = newest === undefined ? 0 : Number(newest.refusalId) + 1;
    // A smaller ring than before: what lies outside would never be overwritten.
    await sql.delete(t).where(gte(t.slot, this.#slots));
    const rows = waiting.map((refusal, index) => ({
      ...refusal,
      slot: (next + index) % this.#slots,
      refusalId: String(next + index).padStart(digits, "0"),
    }));
    for (let from = 0; from < rows.length; from += perStatement) {
      await sql
        .insert(t)
        .values(rows.slice(from, from + perStatement))
        .onConflictDoUpdate({
          target: t.slot,
          set: {
            refusalId: raw`excluded.refusal_id`,
            refusedAt: raw`excluded.refused_at`,
            code: raw`excluded.code`,
            address: raw`excluded.address`,
            actor: raw`excluded.actor`,
            method: raw`excluded.method`,
            path: raw`excluded.path`,
            requestId: raw`excluded.request_id`,
          },
        });
    }
  }

  /** Newest first, those included that waited. */
  async list(options: PageOptions = {}): Promise<Page<RefusalInfo>> {
    const limit = pageLimit(options);
    const before = cursor.decode(options.cursor)?.[0];
    await this.flush();
    const t = this.#database.tables.accessRefusals;
    const rows = await this.#database.reader
      .select()
      .from(t)
      .where(before === undefined ? undefined : lt(t.refusalId, before))
      .orderBy(desc(t.refusalId))
      .limit(limit + 1);
    return pageOf(rows, limit, {
      cursor: ({ refusalId }) => cursor.encode([refusalId]),
      item: refusalInfo,
    });
  }
}

function refusalInfo(row: Row<"accessRefusals">): RefusalInfo {
  const { refusalId: id, refusedAt, address, actor, method, path, requestId } = row;
  return { id, refusedAt, code: codeOf(row.code), address, actor, method, path, requestId };
}

/** A code that this version no longer has is shown as the general one. */
function codeOf(code: string): StoreErrorCode {
  return Object.hasOwn(storeErrorCodes, code) ? (code as StoreErrorCode) : "permission_denied";
}

function shortened(text: string, length: number): string {
  return text
    .slice(0, length)
    .toWellFormed()
    .replaceAll(/\p{Cc}/gu, "\u{fffd}");
}
