import { integer } from "@oclif/core/flags";
import { assertName, assertNamespace } from "@store/identity";
import type { NameInfo, PackageInfo, Registry, TagInfo } from "@store/registry";

import { formatCount, formatSize, formatTime } from "../lib/format.ts";
import { mapPages, printLists } from "../lib/json-list.ts";
import { nameJson, packageJson, tagJson } from "../lib/json.ts";
import { printNote } from "../lib/output.ts";
import { allPages, collectItems, limitPages } from "../lib/pages.ts";
import { optionalArgument, StoreCommand } from "../lib/store-command.ts";
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
    await this.withRegistry(flags.data, async (registry) => {
      const options = { json: flags.json ?? false, limit: flags.limit };
      if (namespace === undefined || name === undefined) {
        await listNames(registry, namespace, options);
      } else await listVersions(registry, namespace, name, options);
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
  registry: Registry,
  namespace: string | undefined,
  options: ListOptions,
): Promise<void> {
  const filter = namespace === undefined ? {} : { namespace };
  const pages = limitPages(
    allPages((page) => registry.listNames(filter, page)),
    options.limit,
  );
  if (options.json) {
    await printLists({ names: mapPages(pages, nameJson) });
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
  registry: Registry,
  namespace: string,
  name: string,
  options: ListOptions,
): Promise<void> {
  const versions = limitPages(
    allPages((page) => registry.listVersions(namespace, name, page)),
    options.limit,
  );
  const listTags = (page: Parameters<Registry["listTags"]>[2]) =>
    registry.listTags(namespace, name, page);
  if (options.json) {
    await printLists({
      versions: mapPages(versions, packageJson),
      tags: mapPages(allPages(listTags), tagJson),
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
