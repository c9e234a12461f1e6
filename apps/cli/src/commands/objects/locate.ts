import { encodeObjectLocations } from "@store/api";
import { isStoreError, type ContentAddress } from "@store/identity";
import type { ObjectCopy, ObjectLocations } from "@store/registry";

import { formatSize, formatTime } from "../../lib/format.ts";
import { HintedError } from "../../lib/hinted-error.ts";
import { printLists } from "../../lib/json-list.ts";
import { assertTarget, isAddressText, objectTargets } from "../../lib/objects/targets.ts";
import { prose } from "../../lib/prose.ts";
import { argument, optionalArgument, StoreCommand } from "../../lib/store-command.ts";
import type { StoreService } from "../../lib/store-service.ts";
import { printTable, type Column } from "../../lib/table.ts";
import { UsageError } from "../../lib/usage-error.ts";

/** Where one object is, and what it was named by. */
interface Located {
  readonly name: string;
  readonly locations: ObjectLocations;
}

/** So many are shown at once. */
const pageSize = 100;

export default class ObjectsLocate extends StoreCommand {
  static override summary = "Say at which backends objects are, and in which state.";
  static override description = prose(`
Of one object by its address, of one file of a package, or of all files of a package. A status is what
was found when the copy was last read; \`store objects verify\` reads them. What is in an archive has to
be restored before it can be read.
`);
  static override examples = [
    {
      description: "Locate a file",
      command: "<%= config.bin %> objects locate acme/app@1.2.0 bin/app",
    },
    {
      description: "Locate all files of a package",
      command: "<%= config.bin %> objects locate acme/app:stable",
    },
    { description: "Locate an object", command: "<%= config.bin %> objects locate blake3:8e4c…" },
  ];
  static override args = {
    object: argument({ description: "A content address, or the package of the file." }),
    path: optionalArgument({ description: "The file's path in the package, else all files." }),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(ObjectsLocate);
    assertTarget(args.object);
    if (isAddressText(args.object) && args.path !== undefined) {
      throw new UsageError(
        "An object that is named by its address has no path.",
        "Give the address alone, or a package and a path.",
      );
    }
    await this.withStore(flags, async (store) => {
      const targets = objectTargets(store, args.object, args.path, (said) => this.warnAll(said));
      const located = async function* (): AsyncGenerator<readonly Located[]> {
        let page: Located[] = [];
        for await (const { address, name = address } of targets) {
          page.push({ name, locations: await locateOne(store, address) });
          if (page.length === pageSize) yield page.splice(0);
        }
        if (page.length > 0) yield page;
      };
      if (flags.json) await printLists({ objects: jsonPages(located()) });
      else await printTable(columns, rowPages(located()));
    });
  }
}

/** @throws {HintedError} `object_not_found` for an address of which nothing is known */
async function locateOne(store: StoreService, address: ContentAddress): Promise<ObjectLocations> {
  try {
    return await store.locateObject(address);
  } catch (error) {
    if (!isStoreError(error, "object_not_found")) throw error;
    const { code, cause, context } = error;
    const hint = "Check the address; `store show --files` tells those of a package's files.";
    throw new HintedError(code, `There is no object ${address} here.`, hint, { cause, context });
  }
}

async function* jsonPages(pages: AsyncIterable<readonly Located[]>) {
  for await (const page of pages) {
    yield page.map(({ name, locations }) => ({ name, ...encodeObjectLocations(locations) }));
  }
}

interface Row {
  readonly located: Located;
  readonly copy: ObjectCopy;
}

async function* rowPages(pages: AsyncIterable<readonly Located[]>) {
  for await (const page of pages) {
    yield page.flatMap((located): Row[] =>
      located.locations.copies.map((copy) => ({ located, copy })),
    );
  }
}

const columns: readonly Column<Row>[] = [
  { header: "BACKEND", value: ({ copy }) => copy.backend },
  { header: "STATUS", value: ({ copy }) => statusText(copy) },
  { header: "TIER", value: ({ copy }) => tierText(copy) },
  { header: "STORED", value: ({ copy }) => formatTime(copy.storedAt) },
  {
    header: "SIZE",
    align: "right",
    value: ({ located }) => formatSize(located.locations.object.sizeBytes),
  },
  { header: "OBJECT", value: ({ located }) => located.name },
];

function statusText({ status, configured }: ObjectCopy): string {
  return configured ? status : `${status}, not configured`;
}

function tierText({ tier, restore, restoredUntil }: ObjectCopy): string {
  if (tier === "hot") return tier;
  if (restore === "none") return "archive";
  if (restore === "requested") return "archive, restoring";
  return restoredUntil === undefined
    ? "archive, restored"
    : `archive, restored until ${formatTime(restoredUntil)}`;
}
