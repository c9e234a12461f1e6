import { option } from "@oclif/core/flags";

import { UsageError } from "../lib/usage-error.ts";
import { printBytes } from "../lib/output.ts";
import { referenceArgument, StoreCommand } from "../lib/store-command.ts";
import { prose } from "../lib/prose.ts";

export default class Manifest extends StoreCommand {
  static override summary = "Print a package's manifest.";
  static override description = prose(`
As cbor it is the manifest itself, byte for byte: its BLAKE3 digest names the package. As json it is
the manifest's canonical JSON (RFC 8785), which can be turned back into the same bytes.
`);
  static override examples = [
    { description: "Read it", command: "<%= config.bin %> manifest acme/app@1.2.0" },
    {
      description: "Keep the bytes that the digest is of",
      command: "<%= config.bin %> manifest acme/app@1.2.0 --format cbor > manifest.cbor",
    },
  ];
  static override args = { reference: referenceArgument({ required: true }) };
  static override flags = {
    format: option({
      options: ["json", "cbor"] as const,
      default: "json",
      summary: "The form to print.",
    })(),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Manifest);
    if (flags.json && flags.format === "cbor") {
      throw new UsageError("--json and --format cbor exclude each other.", "Give one of them.");
    }
    await this.withStore(flags, async (store) => {
      const { package: info, warnings } = await store.resolve(args.reference);
      this.warnAll(warnings);
      if (flags.format === "cbor") {
        await printBytes(await store.getManifestBytes(info.id, "cbor"));
        return;
      }
      await printBytes(await store.getManifestBytes(info.id, "jcs"));
      await printBytes("\n");
    });
  }
}
