import { string } from "@oclif/core/flags";
import { encodePackage } from "@store/api";
import { formatCoordinates } from "@store/identity";

import { printDocument, printLine } from "../lib/output.ts";
import { referenceArgument, StoreCommand } from "../lib/store-command.ts";

export default class Yank extends StoreCommand {
  static override summary = "Take a package out of what is latest, without removing it.";
  static override description =
    "A yanked package still resolves by its exact version, with a warning that gives the reason.";
  static override examples = [
    {
      description: "Yank a broken version",
      command: "<%= config.bin %> yank acme/app@1.2.0 --reason 'loses data on upgrade'",
    },
  ];
  static override args = { reference: referenceArgument({ required: true }) };
  static override flags = {
    reason: string({ helpValue: "<text>", summary: "Why, for whoever uses it." }),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Yank);
    await this.withStore(flags, async (store) => {
      const { package: info } = await store.resolve(args.reference);
      const options = flags.reason === undefined ? {} : { reason: flags.reason };
      const yanked = await store.yankPackage(info.id, options);
      if (flags.json) await printDocument(encodePackage(yanked));
      else await printLine(`${formatCoordinates(yanked)} is yanked`);
    });
  }
}
