/** A scratch space: a connection whose tables are empty copies, and which also sees the live ones. */
import { StoreError } from "@store/identity";
import type { Connection } from "./connection.ts";
import { shapeOf, type TableShape, TwoCopies } from "./scratch-queries.ts";
import type { Sql } from "./sql.ts";
import type { Tables, ViewTableName } from "./tables.ts";
import type { RowDifference, Scratch, TableDifference } from "./types.ts";

/** What a scratch space is made of in one dialect. Everything rejects with a `StoreError`. */
export interface ScratchSpace {
  readonly connection: Connection;
  readonly sql: Sql;
  readonly tables: Tables;
  /** The qualified name of a table in either copy. */
  name(copy: "live" | "rebuilt", table: string): string;
  /** The nth parameter of a statement, from 0. */
  parameter(index: number): string;
  /** Opens a transaction of the scratch space alone. */
  begin(): Promise<void>;
  /** Opens a transaction that also holds the instance's writer lock. */
  beginHolding(): Promise<void>;
  commit(): Promise<void>;
  rollback(): Promise<void>;
  /** Disconnects and removes the copies. */
  drop(): Promise<void>;
}

type Values = Record<string, string | number | null>;
const defaultSampleLimit = 20;

/** {@link Scratch} over the scratch space of a dialect. */
export class ScratchTables implements Scratch {
  readonly #space: ScratchSpace;
  readonly #exclusive: <T>(work: () => Promise<T>) => Promise<T>;
  #inTransaction = false;
  #holding = false;
  #closing: Promise<void> | undefined;

  constructor(space: ScratchSpace, exclusive: <T>(work: () => Promise<T>) => Promise<T>) {
    this.#space = space;
    this.#exclusive = exclusive;
  }

  get sql(): Sql {
    return this.#space.sql;
  }

  get tables(): Tables {
    return this.#space.tables;
  }

  async transaction<T>(work: () => Promise<T>): Promise<T> {
    // While the lock is held, catching up belongs to the transaction that holds it.
    if (this.#holding) return await work();
    return await this.#within(() => this.#space.begin(), work);
  }

  async compare(
    tables: readonly ViewTableName[],
    catchUp: () => Promise<void>,
    options: { readonly sampleLimit?: number } = {},
  ): Promise<TableDifference[]> {
    const sampleLimit = options.sampleLimit ?? defaultSampleLimit;
    return await this.#hold(async () => {
      await catchUp();
      const differences: TableDifference[] = [];
      for (const table of tables) {
        const difference = await this.#compareTable(table, sampleLimit);
        if (difference !== undefined) differences.push(difference);
      }
      return differences;
    });
  }

  async swap(tables: readonly ViewTableName[], catchUp: () => Promise<void>): Promise<void> {
    await this.#hold(async () => {
      await catchUp();
      for (const table of tables) {
        const copies = this.#copies(shapeOf(table));
        await this.#space.connection.execute(copies.removeStale, [], "changes");
        await this.#space.connection.execute(copies.addMissing, [], "changes");
      }
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#space.drop();
    return this.#closing;
  }

  async #hold<T>(work: () => Promise<T>): Promise<T> {
    return await this.#exclusive(() =>
      this.#within(
        () => this.#space.beginHolding(),
        async () => {
          this.#holding = true;
          try {
            return await work();
          } finally {
            this.#holding = false;
          }
        },
      ),
    );
  }

  async #within<T>(begin: () => Promise<void>, work: () => Promise<T>): Promise<T> {
    if (this.#closing !== undefined) throw new StoreError("closed", "The scratch space is closed.");
    if (this.#inTransaction) {
      throw new StoreError("internal", "A scratch space runs one transaction at a time.");
    }
    this.#inTransaction = true;
    try {
      await begin();
      const result = await work();
      await this.#space.commit();
      return result;
    } catch (error) {
      await this.#space.rollback();
      throw error;
    } finally {
      this.#inTransaction = false;
    }
  }

  async #compareTable(
    table: ViewTableName,
    sampleLimit: number,
  ): Promise<TableDifference | undefined> {
    const shape = shapeOf(table);
    const copies = this.#copies(shape);
    const [[count] = []] = await this.#rows(copies.countDifferences);
    if (Number(count) === 0) return undefined;
    const sample: RowDifference[] = [];
    for (const key of await this.#rows(copies.sampleDifferences(sampleLimit))) {
      sample.push(await this.#differenceOf(shape, copies, key));
    }
    return { table, count: Number(count), sample };
  }

  async #differenceOf(
    shape: TableShape,
    copies: TwoCopies,
    key: unknown[],
  ): Promise<RowDifference> {
    const read = async (copy: "live" | "rebuilt"): Promise<Values | undefined> => {
      const text = copies.rowByKey(copy, (index) => this.#space.parameter(index));
      const [row] = await this.#rows(text, key);
      return row && named(shape.columns, row);
    };
    const live = await read("live");
    const rebuilt = await read("rebuilt");
    return { key: named(shape.key, key), ...(live && { live }), ...(rebuilt && { rebuilt }) };
  }

  #copies(shape: TableShape): TwoCopies {
    const { name } = shape;
    return new TwoCopies(shape, this.#space.name("live", name), this.#space.name("rebuilt", name));
  }

  async #rows(text: string, parameters: readonly unknown[] = []): Promise<unknown[][]> {
    return (await this.#space.connection.execute(text, parameters, "rows")) as unknown[][];
  }
}

function named(columns: readonly string[], row: readonly unknown[]): Values {
  return Object.fromEntries(columns.map((column, index) => [column, shown(row[index])]));
}

function shown(value: unknown): string | number | null {
  if (value === null || typeof value === "string" || typeof value === "number") return value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  throw new StoreError("internal", `A row holds a ${typeof value}, which no column has.`);
}
