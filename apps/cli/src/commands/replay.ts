import { boolean } from "@oclif/core/flags";

import { AnsweredError } from "../lib/error-report.ts";
import { exitCodes } from "../lib/exit-codes.ts";
import { formatCounted } from "../lib/format.ts";
import { printDocument, printLine, styled } from "../lib/output.ts";
import { printable } from "../lib/printable.ts";
import { StoreCommand } from "../lib/store-command.ts";
import type { Difference, Row } from "../lib/store-service.ts";
import { prose } from "../lib/prose.ts";
import { EventProgress } from "../lib/progress.ts";

export default class Replay extends StoreCommand {
  static override summary = "Rebuild the views from the log, or check them against it.";
  static override description = prose(`
The views hold nothing that the log does not. Without --check they are rebuilt beside the living ones
and take their place in one transaction, while others go on reading. With --check nothing changes:
each row that differs is printed, and the exit code is 1.
`);
  static override examples = [
    { description: "Check the views", command: "<%= config.bin %> replay --check" },
    { description: "Rebuild them", command: "<%= config.bin %> replay" },
  ];
  static override flags = {
    check: boolean({ default: false, summary: "Only compare." }),
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(Replay);
    const { check } = flags;
    const report = await this.withStore(flags, async (store) => {
      using progress = new EventProgress("replaying");
      return await store.replay({
        check,
        onProgress: (state) => progress.set(state.events, state.total),
      });
    });
    const { events } = report;
    const differences = report.differences.map((difference) => ({
      ...difference,
      table: tableName(difference.table),
    }));
    if (flags.json) await printDocument({ events, rebuilt: !check, differences });
    else await print(events, differences, check);
    if (differences.length > 0) throw new AnsweredError(exitCodes.failedCheck);
  }
}

/** A table as the database calls it, since that is where one looks. */
function tableName(table: string): string {
  return table.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

async function print(
  events: number,
  differences: readonly Difference[],
  check: boolean,
): Promise<void> {
  let rows = 0;
  for (const { table, count, sample } of differences) {
    rows += count;
    for (const { key, live, rebuilt } of sample) {
      const problem =
        live === undefined ? "missing" : rebuilt === undefined ? "surplus" : "changed";
      const row = [...Object.values(key), ...changedColumns(live, rebuilt)].join(" ");
      await printLine(`${styled("red", problem)}  ${printable(`${table}  ${row}`)}`);
    }
    const left = count - sample.length;
    if (left > 0) await printLine(`… and ${formatCounted(left, "row")} more of ${table}`);
  }
  const verdict =
    rows === 0 ? (check ? "no difference" : "rebuilt") : formatCounted(rows, "difference");
  await printLine(
    `${formatCounted(events, "event")}: ${styled(rows === 0 ? "green" : "red", verdict)}`,
  );
}

/** In brackets, the columns in which two rows differ. */
function changedColumns(live: Row | undefined, rebuilt: Row | undefined): readonly string[] {
  if (live === undefined || rebuilt === undefined) return [];
  const columns = Object.keys(rebuilt).filter((column) => live[column] !== rebuilt[column]);
  return [`(${columns.join(", ")})`];
}
