import { encodeRetention } from "@store/api";
import { formatCoordinates } from "@store/identity";

import { formatTime } from "../../lib/format.ts";
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
    await this.withStore(flags, async (store) => {
      const { package: info, warnings } = await store.resolve(args.reference);
      this.warnAll(warnings);
      const retention = await store.setRetention(info.id, args.class);
      if (flags.json) {
        await printDocument(encodeRetention(retention));
        return;
      }
      const { expiresAt, retentionClass } = retention;
      const until = expiresAt === undefined ? "for ever" : `until ${formatTime(expiresAt)}`;
      await printLine(`${formatCoordinates(info)} is kept as ${retentionClass}, ${until}`);
    });
  }
}
