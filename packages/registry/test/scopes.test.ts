import { matchesNamePattern, parseNamePattern } from "@store/identity";
import type { HoldInfo, PackageSummary, Page, PageOptions, Registry } from "@store/registry";
import { account, rounds } from "@store/testing/prove";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

import {
  bytesOf,
  dialects,
  openTestInstance,
  type Dialect,
  type TestInstance,
} from "./instance.ts";

/** Few names that begin with one another, so that the ends of ranges are met. */
const namespaces = ["a", "ab", "ab-c", "b", "b.a"];
const names = ["a", "a-b", "ab", "b_a"];
const patterns = [
  "*",
  ...["a", "ab", "b", "b.a"].map((namespace) => `${namespace}/*`),
  ...["a", "ab", "b"].map((namespace) => `${namespace}*/*`),
  "a/a",
  "a/a*",
  "ab/a-b",
  "ab-c/b*",
  "b/ab",
  "b.a/a-*",
  "z/*",
];
const packageCount = 120;

interface World extends AsyncDisposable {
  readonly registry: Registry;
  readonly instance: TestInstance;
  readonly packages: readonly PackageSummary[];
  readonly holds: readonly HoldInfo[];
}

/** Packages in every state under all the names, with tags and holds. */
async function openWorld(dialect: Dialect): Promise<World> {
  const instance = await openTestInstance(dialect);
  const { registry } = instance;
  const holds: HoldInfo[] = [];
  for (let index = 0; index < packageCount; index += 1) {
    const namespace = namespaces[index % namespaces.length] ?? "";
    const name = names[(index * 7) % names.length] ?? "";
    const version = `1.${index % 3}.${index}`;
    const { id } = await registry.createPackage({ namespace, name, version });
    await registry.ingestFile(id, "a", bytesOf(`content ${index % 11}`));
    if (index % 4 === 0) continue;
    await registry.finalizePackage(id);
    if (index % 5 === 0) await registry.yankPackage(id);
    if (index % 6 === 1) await registry.setTag({ packageId: id, tag: `tag-${index % 3}` });
    if (index % 3 === 1) holds.push(await registry.placeHold(id, "a reason"));
    if (index % 9 === 1) await registry.releaseHold(holds.at(-1)?.id ?? "");
  }
  const packages = await all((page) => registry.listPackages({}, page), 1_000);
  return { registry, instance, packages, holds, [Symbol.asyncDispose]: () => dispose(instance) };
}

const dispose = (instance: TestInstance): Promise<void> =>
  Promise.resolve(instance[Symbol.asyncDispose]());

/** All items of a list, read by pages of `limit`, none longer than that. */
async function all<T>(list: (page: PageOptions) => Promise<Page<T>>, limit: number): Promise<T[]> {
  const items: T[] = [];
  let page = await list({ limit });
  for (let pages = 1; ; pages += 1) {
    expect(pages).toBeLessThan(1_000);
    expect(page.items.length).toBeLessThanOrEqual(limit);
    items.push(...page.items);
    if (page.cursor === undefined) return items;
    page = await list({ limit, cursor: page.cursor });
  }
}

const scope = (texts: readonly string[]) => ({
  names: texts.map(parseNamePattern),
  accounts: false,
});

const covers = (texts: readonly string[]) => (named: { namespace: string; name: string }) =>
  texts.some((text) => matchesNamePattern(parseNamePattern(text), named));

const somePatterns = fc.uniqueArray(fc.constantFrom(...patterns), { maxLength: 5 });
const filters = fc.constantFrom(
  {},
  { namespace: "ab" },
  { namespace: "b" },
  { namespace: "a", name: "a-b" },
  { status: "open" },
  { status: "yanked" },
  { status: "finalized", namespace: "ab-c" },
  { namespace: "a", name: "a", tag: "tag-1" },
  { q: "a" },
  { q: "b" },
  { q: "ab" },
  { q: "a", namespace: "b" },
  { q: "b", status: "open" },
  { q: "a", namespace: "a", name: "b_a" },
  { q: "zz" },
) as fc.Arbitrary<NonNullable<Parameters<Registry["listPackages"]>[0]>>;
const pageSize = fc.constantFrom(1, 2, 7, 1_000);

describe.each(dialects)("what a caller may read on %s", (dialect) => {
  test("is in every list what the whole list holds of it, in the same order", async () => {
    await using world = await openWorld(dialect);
    const { registry, packages, holds } = world;
    const nameOf = new Map(packages.map((pkg) => [pkg.id, pkg]));
    const run = async (texts: readonly string[], filter: object, limit: number): Promise<void> => {
      const scoped = registry.as("reader", scope(texts));
      const isCovered = covers(texts);
      const lists = (of: Registry) => ({
        packages: (page: PageOptions) => of.listPackages(filter, page),
        names: (page: PageOptions) => of.listNames({}, page),
        "names of ab": (page: PageOptions) => of.listNames({ namespace: "ab" }, page),
        versions: (page: PageOptions) => of.listVersions("ab", "a-b", page),
        tags: (page: PageOptions) => of.listTags("b", "ab", page),
      });
      const own = lists(scoped);
      for (const [name, list] of Object.entries(lists(registry))) {
        const whole: { namespace: string; name: string }[] = await all<{
          namespace: string;
          name: string;
        }>(list, 1_000);
        const key = name as keyof typeof own;
        const given = await all<unknown>(own[key], limit);
        expect(given, `${name} ${JSON.stringify(filter)}`).toEqual(whole.filter(isCovered));
      }
      for (const released of [undefined, true, false]) {
        const whole = await all((page) => registry.listHolds({ released }, page), 1_000);
        const given = await all((page) => scoped.listHolds({ released }, page), limit);
        const named = (hold: HoldInfo) => nameOf.get(hold.packageId) ?? { namespace: "", name: "" };
        expect(given).toEqual(whole.filter((hold) => isCovered(named(hold))));
      }
    };
    await fc.assert(fc.asyncProperty(somePatterns, filters, pageSize, run), {
      numRuns: rounds(dialect === "sqlite" ? 1_000 : 200),
      examples: [
        [["*"], {}, 7],
        [[], {}, 7],
      ],
    });
    account("scopes", { packages: packages.length, holds: holds.length });
  });
});
