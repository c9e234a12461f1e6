import { encodeBackend } from "@store/api";
import type { BackendInfo } from "@store/registry";

import { formatCount, formatTime } from "../lib/format.ts";
import { printDocument, printError } from "../lib/output.ts";
import { printable } from "../lib/printable.ts";
import { prose } from "../lib/prose.ts";
import { StoreCommand } from "../lib/store-command.ts";
import type { StoreService } from "../lib/store-service.ts";
import { printTable, type Column } from "../lib/table.ts";

export default class Backends extends StoreCommand {
  static override summary = "List the places for objects, and what each is for.";
  static override description = prose(`
New objects go to the primary backend, and mirrors get a copy of each in the background. Each is tried
now: one that does not answer within seconds fails, and the reason is told below. Since when is what the
log says. Damaged are the copies that were found missing or corrupt; \`store objects replicate --to\` mends
them. With --json, \`status\` is what was found when it was last used, and \`healthy\` how it is now.
`);
  static override examples = [
    { description: "See what there is", command: "<%= config.bin %> backends" },
  ];

  override async run(): Promise<void> {
    const { flags } = await this.parse(Backends);
    const backends = await this.withStore(flags, triedBackends);
    if (flags.json) await printDocument({ backends: backends.map(jsonOf) });
    else {
      await printTable(columns, [backends]);
      for (const { name, tried } of backends) {
        if (tried.reason !== undefined) {
          printError("warning", printable(`${name} fails: ${tried.reason}`));
        }
      }
    }
  }
}

interface TriedBackend extends BackendInfo {
  readonly tried: { readonly healthy: boolean; readonly reason?: string };
}

async function triedBackends(store: StoreService): Promise<TriedBackend[]> {
  // That of the view is asked for later, so that it has what is found out now.
  const { backends: tried } = await store.health();
  const silent = { healthy: false, reason: "It was not tried." };
  return (await store.listBackends()).map((backend) => {
    return { ...backend, tried: tried[backend.name] ?? silent };
  });
}

function jsonOf({ tried, ...backend }: TriedBackend): object {
  const { healthy, reason } = tried;
  return {
    ...encodeBackend(backend),
    healthy,
    ...(reason === undefined ? {} : { health_reason: reason }),
  };
}

/** How it is now, and since when if the log says the same. */
function statusText({ status, reason, tried }: TriedBackend): string {
  if (tried.healthy) return status === "ok" ? "ok" : "ok again";
  return reason === undefined ? "fails" : `fails, ${reason}`;
}

function sinceText({ status, changedAt, tried }: TriedBackend): string {
  const isSame = tried.healthy === (status === "ok");
  return isSame && changedAt !== undefined ? formatTime(changedAt) : "";
}

const columns: readonly Column<TriedBackend>[] = [
  { header: "BACKEND", value: ({ name }) => name },
  { header: "USE", value: ({ use }) => use },
  { header: "KIND", value: ({ kind }) => kind },
  { header: "DAMAGED", align: "right", value: ({ damagedCopies }) => formatCount(damagedCopies) },
  { header: "STATUS", value: statusText },
  { header: "SINCE", value: sinceText },
  { header: "PLACE", value: ({ place }) => place ?? "" },
];
