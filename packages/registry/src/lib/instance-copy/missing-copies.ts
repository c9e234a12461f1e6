import type { Database, Sql, Tables } from "@store/database";
import { eq } from "drizzle-orm";
import * as v from "valibot";

import { formatTime } from "../times.ts";
import { keyOf } from "./wanted-copies.ts";
import type { CopyProblem } from "./types.ts";

/** The row of the target's work positions that says what is still to be copied. */
const workName = "instance-copy";
/** Objects that are remembered; where there are more, verifying finds the others. */
const rememberedLimit = 10_000;

const state = v.object({
  missing: v.array(
    v.object({ address: v.string(), backend: v.string(), code: v.string(), message: v.string() }),
  ),
  more: v.number(),
});

/**
 * The objects that did not arrive, remembered in the target in the transaction that takes over the
 * events which speak of them.
 */
export class MissingCopies {
  readonly #missing = new Map<string, CopyProblem>();
  #more = 0;
  #changed = false;

  static async read({
    reader,
    tables,
  }: Pick<Database, "reader" | "tables">): Promise<MissingCopies> {
    const { workPositions: t } = tables;
    const [row] = await reader.select().from(t).where(eq(t.name, workName));
    const missing = new MissingCopies();
    if (row === undefined) return missing;
    const read = v.parse(state, JSON.parse(row.state));
    // Written by this class from the same type.
    for (const problem of read.missing as CopyProblem[]) {
      missing.#missing.set(keyOf(problem), problem);
    }
    missing.#more = read.more;
    return missing;
  }

  get count(): number {
    return this.#missing.size + this.#more;
  }

  /** Those that are remembered. */
  get all(): CopyProblem[] {
    return [...this.#missing.values()];
  }

  add(problems: readonly CopyProblem[]): void {
    for (const problem of problems) {
      const key = keyOf(problem);
      if (this.#missing.has(key) || this.#missing.size < rememberedLimit) {
        this.#missing.set(key, problem);
      } else this.#more += 1;
      this.#changed = true;
    }
  }

  /** Replaces everything by what was found when all was looked at. */
  replaceBy(problems: readonly CopyProblem[], { whole }: { readonly whole: boolean }): void {
    this.#missing.clear();
    if (whole) this.#more = 0;
    this.#changed = true;
    this.add(problems);
  }

  /** Writes what has changed since the last time, in a transaction of its own. */
  async keep(database: Database): Promise<void> {
    if (!this.#changed) return;
    await database.write((tx) => this.write(tx, Date.now()));
    this.written();
  }

  /** Writes what has changed since the last time; {@link written} tells that it is durable. */
  async write({ sql, tables: { workPositions: t } }: Place, nowMs: number): Promise<void> {
    if (!this.#changed) return;
    if (this.count === 0) {
      await sql.delete(t).where(eq(t.name, workName));
      return;
    }
    const now = formatTime(nowMs);
    const row = {
      position: String(this.count),
      state: JSON.stringify({ missing: this.all, more: this.#more }),
      updatedAt: now,
    };
    await sql
      .insert(t)
      .values({ name: workName, startedAt: now, ...row })
      .onConflictDoUpdate({ target: t.name, set: row });
  }

  /** What was written last is durable. */
  written(): void {
    this.#changed = false;
  }
}

interface Place {
  readonly sql: Sql;
  readonly tables: Tables;
}
