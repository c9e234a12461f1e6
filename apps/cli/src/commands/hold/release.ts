import { encodeHold } from "@store/api";

import { printDocument, printLine } from "../../lib/output.ts";
import { argument, StoreCommand } from "../../lib/store-command.ts";

export default class HoldRelease extends StoreCommand {
  static override summary = "Release a hold.";
  static override examples = [
    {
      description: "Release the hold that `hold list` shows",
      command: "<%= config.bin %> hold release 0190c9a4-5c6f-7d3a-9b1e-2f4a6c8e0d12",
    },
  ];
  static override args = { hold: argument({ description: "The hold's id." }) };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(HoldRelease);
    await this.withStore(flags, async (store) => {
      const hold = await store.releaseHold(args.hold);
      if (flags.json) await printDocument(encodeHold(hold));
      else await printLine(`${hold.id} is released`);
    });
  }
}
