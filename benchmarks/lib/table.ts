/** A Markdown table, aligned so that it can be read as it is. The first row names the columns. */
export function table(rows: readonly (readonly string[])[]): string {
  const [head = []] = rows;
  const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) => lineOf(widths.map((width, at) => (row[at] ?? "").padEnd(width))));
  const rule = lineOf(widths.map((width) => "-".repeat(width)));
  return lines.toSpliced(1, 0, rule).join("\n");
}

function lineOf(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}
