import { formatCoordinates } from "@store/identity";

import { formatTime } from "../../lib/format.ts";
import { retentionJson } from "../../lib/json.ts";
import { printDocument, printLine } from "../../lib/output.ts";
import { argument, referenceArgument, StoreCommand } from "../../lib/store-command.ts";

export default class RetentionSet extends StoreCommand {
  static override summary = "Decide how long a package is kept.";
  static override description =
    "The time counts from when the package was finalized. See the classes with `store retention list`.";
  static override examples = [
    {
      description: "Keep a release for as long as releases are kept",
      command: "<%= config.bin %> retention set acme/app@1.2.0 release",
    },
  ];
  static override args = {
    reference: referenceArgument({ required: true }),
    class: argument({ description: "The retention class." }),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(RetentionSet);
    await this.withRegistry(flags.data, async (registry) => {
      const { package: info, warnings } = await registry.resolve(args.reference);
      this.warnAll(warnings);
      const retention = await registry.setRetention(info.id, args.class);
      if (flags.json) {
        await printDocument(retentionJson(retention));
        return;
      }
      const { expiresAt, retentionClass } = retention;
      const until = expiresAt === undefined ? "for ever" : `until ${formatTime(expiresAt)}`;
      await printLine(`${formatCoordinates(info)} is kept as ${retentionClass}, ${until}`);
    });
  }
}
