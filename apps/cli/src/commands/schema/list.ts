import { encodeSchemaSummary } from "@store/api";
import type { MetadataSchemaSummary, PageOptions } from "@store/registry";

import { formatTime } from "../../lib/format.ts";
import { mapPages, printLists } from "../../lib/json-list.ts";
import { printNote } from "../../lib/output.ts";
import { allPages } from "../../lib/pages.ts";
import { StoreCommand } from "../../lib/store-command.ts";
import { printTable, type Column } from "../../lib/table.ts";

export default class SchemaList extends StoreCommand {
  static override summary = "List the metadata schemas.";
  static override examples = [
    { description: "List the schemas", command: "<%= config.bin %> schema list" },
  ];

  override async run(): Promise<void> {
    const { flags } = await this.parse(SchemaList);
    await this.withStore(flags, async (store) => {
      const pages = allPages((page: PageOptions) => store.listMetadataSchemas(page));
      if (flags.json) await printLists({ schemas: mapPages(pages, encodeSchemaSummary) });
      else if ((await printTable(columns, pages)) === 0) printNote("No schemas.");
    });
  }
}

const columns: Column<MetadataSchemaSummary>[] = [
  { header: "REVISION", align: "right", value: (schema) => String(schema.revision) },
  { header: "REGISTERED", value: (schema) => formatTime(schema.registeredAt) },
  { header: "BY", value: (schema) => schema.registeredBy },
  { header: "NAME", value: (schema) => schema.name },
];
