import { versionSortKey } from "@store/identity";
import type { PackageInfo, Page, PageOptions, Registry } from "@store/registry";

import type { Catalogue, NamedPackage } from "./catalogue.ts";

/** One kind of question, asked of the registry and of the bare driver. */
export interface Lookup {
  readonly name: string;
  /** Asks for the case `index`; there are as many cases as one likes. */
  readonly ours: (index: number) => Promise<unknown>;
  /** The same rows by one statement, places for parameters written as `?`. */
  readonly bare: string;
  readonly parameters: (index: number) => readonly (string | number)[];
}

const packages = "SELECT * FROM artifact_packages WHERE";
const byName = `${packages} namespace = ? AND name = ? AND`;
const latestOrder = "ORDER BY version_sort_key DESC, finalized_seq DESC";
const listingKey = "namespace, name, version_sort_key, variant, package_id";

export async function lookups(registry: Registry, catalogue: Catalogue): Promise<Lookup[]> {
  return [
    ...resolutions(registry, catalogue),
    ...(await packageLists(registry, catalogue)),
    ...(await otherLists(registry, catalogue)),
  ];
}

function resolutions(registry: Registry, catalogue: Catalogue): Lookup[] {
  const { namespace, name } = catalogue.many;
  const { previews } = catalogue;
  const any = (index: number) => anyPackage(catalogue, index);
  const latest = `${byName} status = 'finalized' AND prerelease = 0 ${latestOrder} LIMIT 1`;
  return [
    {
      name: "resolve namespace/name@version",
      ours: (index) => registry.resolve(referenceOf(any(index), `@${any(index).version}`)),
      bare: `${byName} version = ? AND finalized_seq IS NOT NULL ORDER BY variant LIMIT 20`,
      parameters: (index) => [any(index).namespace, any(index).name, any(index).version],
    },
    {
      name: "resolve namespace/name",
      ours: (index) => registry.resolve(referenceOf(any(index), "")),
      bare: latest,
      parameters: (index) => [any(index).namespace, any(index).name],
    },
    {
      name: "resolve the name with a tenth of all packages",
      ours: () => registry.resolve(`${namespace}/${name}`),
      bare: latest,
      parameters: () => [namespace, name],
    },
    {
      name: "resolve a name with a twentieth of all packages, previews above its releases",
      ours: () => registry.resolve(`${previews.namespace}/${previews.name}`),
      bare: latest,
      parameters: () => [previews.namespace, previews.name],
    },
    {
      name: "resolve namespace/name:tag",
      ours: (index) => registry.resolve(referenceOf(any(index), ":stable")),
      bare:
        "SELECT p.* FROM tags t JOIN artifact_packages p ON p.package_id = t.package_id " +
        "WHERE t.namespace = ? AND t.name = ? AND t.tag = 'stable'",
      parameters: (index) => [any(index).namespace, any(index).name],
    },
    {
      name: "resolve namespace/name@digest",
      ours: (index) => registry.resolve(referenceOf(any(index), `@${any(index).digest}`)),
      bare: `${packages} manifest_digest = ?`,
      parameters: (index) => [any(index).digest],
    },
  ];
}

async function packageLists(registry: Registry, catalogue: Catalogue): Promise<Lookup[]> {
  const anywhere: { cursor: string; last: PackageInfo }[] = [];
  for (let index = 0; anywhere.length < 100; index += 1) {
    const { namespace, name } = anyPackage(catalogue, index);
    const { cursor, items } = await registry.listPackages({ namespace, name }, { limit: 1 });
    if (cursor !== undefined && items[0]) anywhere.push({ cursor, last: items[0] });
  }
  const at = (index: number) => caseOf(anywhere, index);
  const versions = async ({ namespace, name }: Catalogue["many" | "builds"]): Promise<Lookup> => {
    const pages = await cursors((page) => registry.listVersions(namespace, name, page));
    return {
      name: `list versions of ${namespace}/${name}, any page`,
      ours: (index) =>
        registry.listVersions(namespace, name, { cursor: caseOf(pages, index).cursor }),
      bare:
        `${byName} finalized_seq IS NOT NULL AND (version_sort_key, finalized_seq) < (?, ?) ` +
        `${latestOrder} LIMIT 101`,
      parameters: (index) => {
        const { last } = caseOf(pages, index);
        return [namespace, name, versionSortKey(last.version), catalogue.finalizedSeqOf(last.id)];
      },
    };
  };
  return [
    {
      name: "list packages, any page",
      ours: (index) => registry.listPackages({}, { cursor: at(index).cursor }),
      bare: `${packages} (${listingKey}) > (?, ?, ?, ?, ?) ORDER BY ${listingKey} LIMIT 101`,
      parameters: (index) => {
        const { namespace, name, version, variant = "", id } = at(index).last;
        return [namespace, name, versionSortKey(version), variant, id];
      },
    },
    {
      name: "list packages that were yanked",
      ours: () => registry.listPackages({ status: "yanked" }),
      bare: `${packages} status = 'yanked' AND status <> 'finalized' ORDER BY ${listingKey} LIMIT 101`,
      parameters: () => [],
    },
    {
      name: "list packages of a namespace",
      ours: (index) => registry.listPackages({ namespace: at(index).last.namespace }),
      bare: `${packages} namespace = ? ORDER BY ${listingKey} LIMIT 101`,
      parameters: (index) => [at(index).last.namespace],
    },
    await versions(catalogue.many),
    await versions(catalogue.builds),
  ];
}

async function otherLists(registry: Registry, catalogue: Catalogue): Promise<Lookup[]> {
  const names = await cursors((page) => registry.listNames({}, page));
  const { id } = catalogue.package(0);
  const files = await cursors((page) => registry.listFiles(id, page));
  return [
    {
      name: "list names, any page",
      ours: (index) => registry.listNames({}, { cursor: caseOf(names, index).cursor }),
      bare:
        "SELECT * FROM package_names WHERE (namespace, name) > (?, ?) " +
        "ORDER BY namespace, name LIMIT 101",
      parameters: (index) => [caseOf(names, index).last.namespace, caseOf(names, index).last.name],
    },
    {
      name: "list files of a package of 20,001, any page",
      ours: (index) => registry.listFiles(id, { cursor: caseOf(files, index).cursor }),
      bare: "SELECT * FROM artifact_files WHERE package_id = ? AND path > ? ORDER BY path LIMIT 101",
      parameters: (index) => [id, caseOf(files, index).last.path],
    },
  ];
}

/** Walks a list and gives the cursors of all its pages but the last, with the row before each. */
async function cursors<Item>(
  list: (page: PageOptions) => Promise<Page<Item>>,
): Promise<{ cursor: string; last: Item }[]> {
  const found: { cursor: string; last: Item }[] = [];
  let page = await list({ limit: 1000 });
  while (page.cursor !== undefined) {
    const last = page.items.at(-1);
    if (last !== undefined) found.push({ cursor: page.cursor, last });
    page = await list({ limit: 1000, cursor: page.cursor });
  }
  return found;
}

/** One of the cases; neighbouring indexes are far apart. */
function caseOf<Case>(cases: readonly Case[], index: number): Case {
  const found = cases[(index * 7919) % cases.length];
  if (found === undefined) throw new Error("There are no cases.");
  return found;
}

/** A finalized package that is a tag's target or not, anywhere in the catalogue. */
function anyPackage(catalogue: Catalogue, index: number): NamedPackage {
  const at = (index * 104_729) % catalogue.size;
  return catalogue.package(catalogue.isOpen(at) ? at + 1 : at);
}

function referenceOf({ namespace, name }: NamedPackage, selector: string): string {
  return `${namespace}/${name}${selector}`;
}
