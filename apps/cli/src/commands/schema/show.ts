import { encodeSchema } from "@store/api";

import { printDocument, printLine } from "../../lib/output.ts";
import { argument, StoreCommand } from "../../lib/store-command.ts";

export default class SchemaShow extends StoreCommand {
  static override summary = "Print a metadata schema.";
  static override examples = [
    { description: "The newest revision", command: "<%= config.bin %> schema show service" },
    { description: "An older one", command: "<%= config.bin %> schema show service@1" },
  ];
  static override args = {
    schema: argument({ description: "The schema's name, with @<revision> for an older one." }),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(SchemaShow);
    await this.withStore(flags, async (store) => {
      const schema = await store.getMetadataSchema(args.schema);
      if (flags.json) await printDocument(encodeSchema(schema));
      else await printLine(JSON.stringify(schema.schema, undefined, 2));
    });
  }
}
