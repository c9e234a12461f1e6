/** Indexes that PostgreSQL makes while others write, one statement at a time. */
import { StoreError } from "@store/identity";
import type { Migration } from "../migrations.ts";

/** One statement of a file that runs outside of a transaction. */
export interface IndexStatement {
  readonly index: string;
  readonly text: string;
}

const shape = /^CREATE (?:UNIQUE )?INDEX CONCURRENTLY ([a-z_][a-z0-9_]*)\s+ON\s[^;]+$/;

/** The statements of a file, each of which makes one index. */
export function indexStatementsOf({ name, sql }: Migration): IndexStatement[] {
  const statements = sql.replaceAll(/^--.*$/gm, "").split(";");
  return statements
    .map((text) => text.trim())
    .filter((text) => text !== "")
    .map((text) => {
      const index = shape.exec(text)?.[1];
      if (index !== undefined) return { index, text };
      throw new StoreError(
        "internal",
        `The migration ${name} runs outside of a transaction, so it may hold nothing but ` +
          "CREATE INDEX CONCURRENTLY name ON ….",
      );
    });
}

/** The same in a transaction, for tables that nobody else sees yet. */
export function textInside({ outsideTransaction, sql }: Migration): string {
  return outsideTransaction ? sql.replaceAll(" CONCURRENTLY ", " ") : sql;
}
