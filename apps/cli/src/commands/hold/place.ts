import { string } from "@oclif/core/flags";
import { encodeHold } from "@store/api";
import { formatCoordinates } from "@store/identity";

import { printDocument, printLine } from "../../lib/output.ts";
import { referenceArgument, StoreCommand } from "../../lib/store-command.ts";

export default class HoldPlace extends StoreCommand {
  static override summary = "Keep a package from expiring, whatever its retention class.";
  static override examples = [
    {
      description: "Hold what an investigation needs",
      command: "<%= config.bin %> hold place acme/app@1.2.0 --reason 'incident 42'",
    },
  ];
  static override args = { reference: referenceArgument({ required: true }) };
  static override flags = {
    reason: string({ required: true, helpValue: "<text>", summary: "Why it must be kept." }),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(HoldPlace);
    await this.withStore(flags, async (store) => {
      const { package: info, warnings } = await store.resolve(args.reference);
      this.warnAll(warnings);
      const hold = await store.placeHold(info.id, flags.reason);
      if (flags.json) await printDocument(encodeHold(hold));
      else await printLine(`${formatCoordinates(info)} is held; release it with: ${hold.id}`);
    });
  }
}
