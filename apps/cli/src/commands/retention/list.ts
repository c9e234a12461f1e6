import { encodeRetentionClass } from "@store/api";
import type { RetentionClass } from "@store/registry";

import { formatCounted } from "../../lib/format.ts";
import { printDocument } from "../../lib/output.ts";
import { StoreCommand } from "../../lib/store-command.ts";
import { printTable, type Column } from "../../lib/table.ts";

export default class RetentionList extends StoreCommand {
  static override summary = "List the retention classes.";
  static override examples = [
    { description: "List the classes", command: "<%= config.bin %> retention list" },
  ];

  override async run(): Promise<void> {
    const { flags } = await this.parse(RetentionList);
    await this.withStore(flags, async (store) => {
      const classes = await store.listRetentionClasses();
      if (flags.json) {
        await printDocument({ classes: classes.map((one) => encodeRetentionClass(one)) });
      } else await printTable(columns, [classes]);
    });
  }
}

const columns: Column<RetentionClass>[] = [
  { header: "CLASS", value: (one) => one.name },
  {
    header: "KEPT",
    value: ({ durationDays: days }) =>
      days === undefined ? "for ever" : formatCounted(days, "day"),
  },
];
