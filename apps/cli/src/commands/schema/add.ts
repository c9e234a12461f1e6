import { encodeSchema } from "@store/api";

import { readJsonFile } from "../../lib/json-argument.ts";
import { printDocument, printLine } from "../../lib/output.ts";
import { argument, StoreCommand } from "../../lib/store-command.ts";

export default class SchemaAdd extends StoreCommand {
  static override summary = "Register a JSON Schema for metadata, or its next revision.";
  static override examples = [
    {
      description: "Register a schema",
      command: "<%= config.bin %> schema add service ./service.schema.json",
    },
    {
      description: "Read it from stdin",
      command: "$ generate-schema | <%= config.bin %> schema add service -",
    },
  ];
  static override args = {
    name: argument({ description: "The schema's name." }),
    file: argument({ description: "A file that holds the schema, or - for stdin." }),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(SchemaAdd);
    const schema = await readJsonFile(args.file);
    const added = await this.withStore(
      flags,
      (store) => store.registerMetadataSchema({ name: args.name, schema }),
      { create: true },
    );
    if (flags.json) await printDocument(encodeSchema(added));
    else await printLine(`${added.name}@${added.revision} is registered`);
  }
}
