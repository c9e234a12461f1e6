import { printLine, styled } from "./output.ts";
import { printable } from "./printable.ts";

/** A column of a table; what can be of any length comes last. */
export interface Column<Row> {
  readonly header: string;
  readonly align?: "left" | "right";
  readonly value: (row: Row) => string;
}

/**
 * Prints pages of rows as one table, page by page, so that a long list holds no more than a page in
 * memory; columns are as wide as the first pages need. Returns the number of rows.
 */
export async function printTable<Row>(
  columns: readonly Column<Row>[],
  pages: AsyncIterable<readonly Row[]> | Iterable<readonly Row[]>,
): Promise<number> {
  const widths = columns.map((column) => column.header.length);
  let count = 0;
  for await (const page of pages) {
    const rows = page.map((row) => columns.map((column) => printable(column.value(row))));
    for (const row of rows) {
      for (const [index, cell] of row.entries()) {
        widths[index] = Math.max(widths[index] ?? 0, cell.length);
      }
    }
    if (count === 0 && rows.length > 0) {
      const header = layOut(
        columns,
        columns.map((column) => column.header),
        widths,
      );
      await printLine(styled("bold", header));
    }
    count += rows.length;
    const lines = rows.map((row) => layOut(columns, row, widths));
    if (lines.length > 0) await printLine(lines.join("\n"));
  }
  return count;
}

function layOut<Row>(
  columns: readonly Column<Row>[],
  cells: readonly string[],
  widths: readonly number[],
): string {
  const padded = cells.map((cell, index) => {
    const width = widths[index] ?? 0;
    if (columns[index]?.align === "right") return cell.padStart(width);
    return index === cells.length - 1 ? cell : cell.padEnd(width);
  });
  return padded.join("  ").trimEnd();
}

/** Prints names and values under each other; what is undefined is left out. */
export async function printFields(
  fields: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const present = Object.entries(fields).filter((field) => field[1] !== undefined);
  const width = Math.max(...present.map(([name]) => name.length));
  const lines = present.map(([name, value = ""]) => {
    return `  ${styled("dim", name.padEnd(width))}  ${printable(value)}`;
  });
  await printLine(lines.join("\n"));
}
