import { encodePackage } from "@store/api";
import { formatCoordinates } from "@store/identity";

import { printDocument, printLine } from "../lib/output.ts";
import { referenceArgument, StoreCommand } from "../lib/store-command.ts";

export default class Unyank extends StoreCommand {
  static override summary = "Undo a yank.";
  static override examples = [
    { description: "Bring a version back", command: "<%= config.bin %> unyank acme/app@1.2.0" },
  ];
  static override args = { reference: referenceArgument({ required: true }) };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Unyank);
    await this.withStore(flags, async (store) => {
      const { package: info } = await store.resolve(args.reference);
      const unyanked = await store.unyankPackage(info.id);
      if (flags.json) await printDocument(encodePackage(unyanked));
      else await printLine(`${formatCoordinates(unyanked)} is no longer yanked`);
    });
  }
}
