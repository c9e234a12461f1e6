import { encodeBackend } from "@store/api";
import type { BackendInfo } from "@store/registry";

import { formatCount, formatTime } from "../lib/format.ts";
import { printDocument } from "../lib/output.ts";
import { prose } from "../lib/prose.ts";
import { StoreCommand } from "../lib/store-command.ts";
import { printTable, type Column } from "../lib/table.ts";

export default class Backends extends StoreCommand {
  static override summary = "List the places for objects, and what each is for.";
  static override description = prose(`
New objects go to the primary backend, and mirrors get a copy of each in the background. A status is what
was found when the backend was last used; \`store health\` tries each of them now. Damaged are the copies
that were found missing or corrupt; \`store objects replicate --to\` mends them.
`);
  static override examples = [
    { description: "See what there is", command: "<%= config.bin %> backends" },
  ];

  override async run(): Promise<void> {
    const { flags } = await this.parse(Backends);
    const backends = await this.withStore(flags, (store) => store.listBackends());
    if (flags.json) await printDocument({ backends: backends.map(encodeBackend) });
    else await printTable(columns, [backends]);
  }
}

const columns: readonly Column<BackendInfo>[] = [
  { header: "BACKEND", value: ({ name }) => name },
  { header: "USE", value: ({ use }) => use },
  { header: "KIND", value: ({ kind }) => kind },
  { header: "DAMAGED", align: "right", value: ({ damagedCopies }) => formatCount(damagedCopies) },
  {
    header: "STATUS",
    value: ({ status, reason }) => (reason === undefined ? status : `${status}, ${reason}`),
  },
  {
    header: "SINCE",
    value: ({ changedAt }) => (changedAt === undefined ? "" : formatTime(changedAt)),
  },
];
