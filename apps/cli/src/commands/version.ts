import { printDocument, printLine } from "../lib/output.ts";
import { StoreCommand } from "../lib/store-command.ts";

export default class Version extends StoreCommand {
  static override summary = "Print the version.";
  static override examples = [
    { description: "Print the version", command: "<%= config.bin %> version" },
    { description: "The same", command: "<%= config.bin %> --version" },
  ];

  override async run(): Promise<void> {
    const { flags } = await this.parse(Version);
    const { version, platform, arch } = this.config;
    const node = process.versions.node;
    if (flags.json) await printDocument({ version, node, platform: `${platform}-${arch}` });
    else await printLine(`store ${version} (${platform}-${arch}, node ${node})`);
  }
}
