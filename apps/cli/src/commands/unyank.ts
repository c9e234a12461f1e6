import { formatCoordinates } from "@store/identity";

import { packageJson } from "../lib/json.ts";
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
    await this.withRegistry(flags.data, async (registry) => {
      const { package: info } = await registry.resolve(args.reference);
      const unyanked = await registry.unyankPackage(info.id);
      if (flags.json) await printDocument(packageJson(unyanked));
      else await printLine(`${formatCoordinates(unyanked)} is no longer yanked`);
    });
  }
}
