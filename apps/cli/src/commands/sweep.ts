import { encodeSweepReport } from "@store/api";

import { formatCounted, formatSize } from "../lib/format.ts";
import { printDocument, printLine } from "../lib/output.ts";
import { StoreCommand } from "../lib/store-command.ts";
import { prose } from "../lib/prose.ts";

export default class Sweep extends StoreCommand {
  static override summary = "Discard what dead processes left behind.";
  static override description = prose(`
Staged bytes whose lease has expired, open packages that have lapsed, and old idempotency keys. What a
living process holds is safe. A server sweeps by itself, when it starts and every few minutes.
`);
  static override examples = [
    { description: "Sweep an instance that has no server", command: "<%= config.bin %> sweep" },
  ];

  override async run(): Promise<void> {
    const { flags } = await this.parse(Sweep);
    const report = await this.withStore(flags, (store) => store.sweep());
    if (flags.json) {
      await printDocument(encodeSweepReport(report));
      return;
    }
    const staged = formatCounted(report.stagedDiscarded, "staged object");
    const size = formatSize(report.stagedBytes);
    const packages = formatCounted(report.packagesExpired, "open package");
    await printLine(`discarded ${staged} (${size}) and ${packages}`);
  }
}
