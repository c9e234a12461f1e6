import { encodeHealth } from "@store/api";
import type { HealthReport } from "@store/registry";

import { AnsweredError } from "../lib/error-report.ts";
import { exitCodes } from "../lib/exit-codes.ts";
import { formatCounted, formatSize } from "../lib/format.ts";
import { printDocument } from "../lib/output.ts";
import { prose } from "../lib/prose.ts";
import { StoreCommand } from "../lib/store-command.ts";
import { printFields } from "../lib/table.ts";

export default class Health extends StoreCommand {
  static override summary = "Try the database, the log and each place for objects.";
  static override description = prose(`
The exit code is 7 when the database, the log or the primary backend fails. Another backend that fails is
named: reads go to other copies, and mirrors catch up.
`);
  static override examples = [
    { description: "See what fails", command: "<%= config.bin %> health" },
  ];

  override async run(): Promise<void> {
    const { flags } = await this.parse(Health);
    const report = await this.withStore(flags, (store) => store.health());
    if (flags.json) await printDocument(encodeHealth(report));
    else await print(report);
    if (!report.healthy) throw new AnsweredError(exitCodes.unavailable);
  }
}

async function print({ database, log, backends }: HealthReport): Promise<void> {
  const fields: Record<string, string> = {
    database: verdict(database, database.dialect),
    log: verdict(log, formatCounted(log.size, "event")),
  };
  for (const [role, backend] of Object.entries(backends)) {
    const { freeBytes, kind } = backend;
    const free = freeBytes === undefined ? "" : `, ${formatSize(freeBytes)} free`;
    fields[role] = verdict(backend, `${kind}${free}`);
  }
  await printFields(fields);
}

function verdict(part: { readonly healthy: boolean; readonly reason?: string }, facts: string) {
  if (part.healthy) return `ok, ${facts}`;
  return `fails, ${part.reason ?? "without a reason"}`;
}
