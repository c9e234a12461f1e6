import { boolean } from "@oclif/core/flags";
import { encodeHold } from "@store/api";
import { formatCoordinates } from "@store/identity";
import type { HoldInfo } from "@store/registry";

import { formatTime } from "../../lib/format.ts";
import { mapPages, printLists } from "../../lib/json-list.ts";
import { printNote } from "../../lib/output.ts";
import { allPages } from "../../lib/pages.ts";
import { referenceArgument, StoreCommand } from "../../lib/store-command.ts";
import type { StoreService } from "../../lib/store-service.ts";
import { printTable, type Column } from "../../lib/table.ts";

export default class HoldList extends StoreCommand {
  static override summary = "List holds.";
  static override examples = [
    { description: "Every hold that stands", command: "<%= config.bin %> hold list" },
    {
      description: "Those of one package that were released",
      command: "<%= config.bin %> hold list acme/app@1.2.0 --released",
    },
  ];
  static override args = {
    reference: referenceArgument({ description: "Only this package's." }),
  };
  static override flags = {
    released: boolean({ default: false, summary: "List those that were released." }),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(HoldList);
    const { reference } = args;
    await this.withStore(flags, async (store) => {
      const held = reference === undefined ? undefined : await store.resolve(reference);
      const filter = {
        released: flags.released,
        ...(held === undefined ? {} : { packageId: held.package.id }),
      };
      const pages = withReferences(
        store,
        allPages((page) => store.listHolds(filter, page)),
      );
      if (flags.json) await printLists({ holds: mapPages(pages, namedHoldJson) });
      else if ((await printTable(columns, pages)) === 0) printNote("No holds.");
    });
  }
}

interface NamedHold extends HoldInfo {
  readonly reference: string;
}

async function* withReferences(
  store: StoreService,
  pages: AsyncIterable<readonly HoldInfo[]>,
): AsyncGenerator<readonly NamedHold[]> {
  for await (const holds of pages) {
    yield await Promise.all(
      holds.map(async (hold) => {
        const info = await store.getPackage(hold.packageId);
        return { ...hold, reference: formatCoordinates(info) };
      }),
    );
  }
}

function namedHoldJson(hold: NamedHold): object {
  return { reference: hold.reference, ...encodeHold(hold) };
}

const columns: Column<NamedHold>[] = [
  { header: "HOLD", value: (hold) => hold.id },
  { header: "PACKAGE", value: (hold) => hold.reference },
  { header: "PLACED", value: (hold) => formatTime(hold.placedAt) },
  { header: "BY", value: (hold) => hold.placedBy },
  { header: "REASON", value: (hold) => hold.reason },
];
