import { boolean } from "@oclif/core/flags";
import { encodePackage } from "@store/api";
import { formatCoordinates } from "@store/identity";

import { formatCounted, formatSize } from "../lib/format.ts";
import { printDocument, printLine } from "../lib/output.ts";
import { optionalArgument, referenceArgument, StoreCommand } from "../lib/store-command.ts";
import { prose } from "../lib/prose.ts";

export default class Pull extends StoreCommand {
  static override summary = "Write a package's files to a folder, verified.";
  static override description = prose(`
Every byte is verified, and executable bits are restored. Files are written beside their place and
moved once all of them are whole, so that a pull that fails leaves the folder as it was.

Without a folder it makes ./<name>-<version>, with the variant if there is one. Files that are there
already are refused (exit code 4) unless --force overwrites them; symbolic links below the folder are
never followed. Files that the package does not have are left alone.
`);
  static override examples = [
    {
      description: "Pull to ./app-1.2.0",
      command: "<%= config.bin %> pull acme/app@1.2.0",
    },
    {
      description: "Pull what is tagged stable, over what is there",
      command: "<%= config.bin %> pull acme/app:stable /opt/app --force",
    },
  ];
  static override args = {
    reference: referenceArgument({ required: true }),
    folder: optionalArgument({ description: "Where to; made if need be." }),
  };
  static override flags = {
    force: boolean({ default: false, char: "f", summary: "Overwrite files that are there." }),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Pull);
    const { info, outcome } = await this.interruptible(async (signal) => {
      const { pullPackage } = await import("../lib/pull.ts");
      return await this.withStore(flags, async (store) => {
        const { package: info, warnings } = await store.resolve(args.reference);
        this.warnAll(warnings);
        const folder =
          args.folder ?? [info.name, info.version, info.variant].filter(Boolean).join("-");
        const request = { package: info, folder, force: flags.force };
        return { info, outcome: await pullPackage(store, request, signal) };
      });
    });
    if (flags.json) {
      await printDocument({ package: encodePackage(info), folder: outcome.folder });
      return;
    }
    const what = `${formatCounted(outcome.files, "file")}, ${formatSize(outcome.sizeBytes)}`;
    await printLine(`${formatCoordinates(info)}: ${what}, verified, in ${outcome.folder}`);
  }
}
