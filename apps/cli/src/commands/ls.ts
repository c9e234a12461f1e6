import { integer } from "@oclif/core/flags";
import { encodeName, encodePackage, encodeTag } from "@store/api";
import { assertName, assertNamespace } from "@store/identity";
import type { NameInfo, PackageInfo, PageOptions, TagInfo } from "@store/registry";

import { formatCount, formatSize, formatTime } from "../lib/format.ts";
import { mapPages, printLists } from "../lib/json-list.ts";
import { printNote } from "../lib/output.ts";
import { allPages, collectItems, limitPages } from "../lib/pages.ts";
import { optionalArgument, StoreCommand } from "../lib/store-command.ts";
import type { StoreService } from "../lib/store-service.ts";
import { printTable, type Column } from "../lib/table.ts";

export default class Ls extends StoreCommand {
  static override summary = "List names, or the versions and tags of a name.";
  static override examples = [
    { description: "List every name", command: "<%= config.bin %> ls" },
    { description: "List the names of a namespace", command: "<%= config.bin %> ls acme" },
    {
      description: "List versions, the highest first, and tags",
      command: "<%= config.bin %> ls acme/app",
    },
  ];
  static override args = {
    name: optionalArgument({ description: "A namespace, or namespace/name." }),
  };
  static override flags = {
    limit: integer({ min: 1, helpValue: "<n>", summary: "List no more than so many." }),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Ls);
    const [namespace, name] = parseName(args.name);
    await this.withStore(flags, async (store) => {
      const options = { json: flags.json ?? false, limit: flags.limit };
      if (namespace === undefined || name === undefined) {
        await listNames(store, namespace, options);
      } else await listVersions(store, namespace, name, options);
    });
  }
}

interface ListOptions {
  readonly json: boolean;
  readonly limit: number | undefined;
}

function parseName(text: string | undefined): [namespace?: string, name?: string] {
  if (text === undefined) return [];
  const slash = text.indexOf("/");
  const namespace = slash === -1 ? text : text.slice(0, slash);
  assertNamespace(namespace);
  if (slash === -1) return [namespace];
  const name = text.slice(slash + 1);
  assertName(name);
  return [namespace, name];
}

async function listNames(
  store: StoreService,
  namespace: string | undefined,
  options: ListOptions,
): Promise<void> {
  const filter = namespace === undefined ? {} : { namespace };
  const pages = limitPages(
    allPages((page) => store.listNames(filter, page)),
    options.limit,
  );
  if (options.json) {
    await printLists({ names: mapPages(pages, encodeName) });
    return;
  }
  const count = await printTable(nameColumns, pages);
  if (count === 0) printNote(namespace ? `No packages in ${namespace}.` : "No packages.");
}

const nameColumns: Column<NameInfo>[] = [
  { header: "PACKAGES", align: "right", value: (info) => formatCount(info.finalizedCount) },
  { header: "UPDATED", value: (info) => formatTime(info.updatedAt) },
  { header: "NAME", value: (info) => `${info.namespace}/${info.name}` },
];

async function listVersions(
  store: StoreService,
  namespace: string,
  name: string,
  options: ListOptions,
): Promise<void> {
  const versions = limitPages(
    allPages((page) => store.listVersions(namespace, name, page)),
    options.limit,
  );
  const listTags = (page: PageOptions) => store.listTags(namespace, name, page);
  if (options.json) {
    await printLists({
      versions: mapPages(versions, encodePackage),
      tags: mapPages(allPages(listTags), encodeTag),
    });
    return;
  }
  const tags = Map.groupBy(await collectItems(listTags), (tag) => tag.packageId);
  const count = await printTable(versionColumns(tags), versions);
  if (count === 0) printNote(`No versions of ${namespace}/${name}.`);
}

function versionColumns(tags: ReadonlyMap<string, readonly TagInfo[]>): Column<PackageInfo>[] {
  return [
    { header: "FILES", align: "right", value: (info) => formatCount(info.fileCount) },
    { header: "SIZE", align: "right", value: (info) => formatSize(info.sizeBytes) },
    { header: "FINALIZED", value: (info) => formatTime(info.finalizedAt ?? "") },
    { header: "STATUS", value: (info) => info.status },
    {
      header: "VERSION",
      value: (info) =>
        info.variant === undefined ? info.version : `${info.version}/${info.variant}`,
    },
    {
      header: "TAGS",
      value: (info) => (tags.get(info.id) ?? []).map((tag) => tag.tag).join(", "),
    },
  ];
}
