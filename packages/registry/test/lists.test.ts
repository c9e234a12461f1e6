import { describe, expect, test } from "vitest";

import type { Page, PageOptions } from "@store/registry";
import { bytesOf, codeOf, dialects, openTestInstance, publish } from "./instance.ts";

/** All items of a list, read by pages of two. */
async function all<T>(list: (page: PageOptions) => Promise<Page<T>>): Promise<T[]> {
  const items: T[] = [];
  let page = await list({ limit: 2 });
  for (;;) {
    items.push(...page.items);
    if (page.cursor === undefined) return items;
    page = await list({ limit: 2, cursor: page.cursor });
  }
}

describe.each(dialects)("a list on %s", (dialect) => {
  test("of packages goes by name and version precedence, page by page", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry } = instance;
    for (const version of ["1.10.0", "1.2.0", "1.2.0-rc.1", "2.0.0", "other"]) {
      await publish(registry, { version });
    }
    await publish(registry, { name: "another", version: "1.0.0" });
    const open = await registry.createPackage({ namespace: "acme", name: "app", version: "3.0.0" });
    const packages = await all((page) => registry.listPackages({}, page));
    expect(packages.map((pkg) => `${pkg.name}@${pkg.version}`)).toEqual([
      "another@1.0.0",
      "app@other",
      "app@1.2.0-rc.1",
      "app@1.2.0",
      "app@1.10.0",
      "app@2.0.0",
      "app@3.0.0",
    ]);
    const opened = await all((page) => registry.listPackages({ status: "open" }, page));
    expect(opened.map((pkg) => pkg.id)).toEqual([open.id]);
    const named = { namespace: "acme", name: "app" };
    const exact = await registry.listPackages({ ...named, version: "1.2.0" });
    expect(exact.items.map((pkg) => pkg.version)).toEqual(["1.2.0"]);
    const filters = [{ namespace: "acme" }, named, { ...named, variant: "none" }];
    const counts = filters.map(
      async (filter) => (await all((page) => registry.listPackages(filter, page))).length,
    );
    expect(await Promise.all(counts)).toEqual([7, 6, 0]);
    const versions = await all((page) => registry.listVersions("acme", "app", page));
    expect(versions.map((pkg) => pkg.version)).toEqual([
      "2.0.0",
      "1.10.0",
      "1.2.0",
      "1.2.0-rc.1",
      "other",
    ]);
  });

  test("of packages by tag gives what the tag targets", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry } = instance;
    const { id } = await publish(registry, { version: "1.0.0" });
    await publish(registry, { version: "2.0.0" });
    await registry.setTag({ packageId: id, tag: "stable" });
    const filter = { namespace: "acme", name: "app", tag: "stable" };
    expect((await registry.listPackages(filter)).items.map((pkg) => pkg.id)).toEqual([id]);
    expect((await registry.listPackages({ ...filter, tag: "none" })).items).toEqual([]);
    expect((await registry.listPackages({ ...filter, version: "2.0.0" })).items).toEqual([]);
    for (const rootless of [{ name: "app" }, { namespace: "acme", version: "1.0.0" }]) {
      expect(await codeOf(registry.listPackages(rootless))).toBe("invalid_argument");
    }
    expect(await codeOf(registry.listPackages({ tag: "stable" }))).toBe("invalid_argument");
  });

  test("of names, tags and files ends where it should", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry } = instance;
    const pkg = await publish(
      registry,
      { version: "1.0.0" },
      { Z: "1", "a/b": "2", "a.b": "3", é: "4", a0: "5" },
    );
    for (const name of ["b", "a", "c"]) await publish(registry, { name, version: "1.0.0" });
    for (const tag of ["x", "y", "z"]) await registry.setTag({ packageId: pkg.id, tag });
    const names = await all((page) => registry.listNames({ namespace: "acme" }, page));
    expect(names.map((each) => each.name)).toEqual(["a", "app", "b", "c"]);
    expect(names.every((each) => each.finalizedCount === 1)).toBe(true);
    const tags = await all((page) => registry.listTags("acme", "app", page));
    expect(tags.map((each) => each.tag)).toEqual(["x", "y", "z"]);
    const files = await all((page) => registry.listFiles(pkg.id, page));
    expect(files.map((each) => each.path)).toEqual(["Z", "a.b", "a/b", "a0", "é"]);
  });

  test("refuses a cursor of another list, a broken one and a page that is too long", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry } = instance;
    for (const version of ["1.0.0", "2.0.0"]) await publish(registry, { version });
    const { cursor } = await registry.listPackages({}, { limit: 1 });
    expect(cursor).toBeDefined();
    const other = registry.listNames({}, { cursor: cursor ?? "" });
    expect(await codeOf(other)).toBe("invalid_cursor");
    expect(await codeOf(registry.listPackages({}, { cursor: "%%%" }))).toBe("invalid_cursor");
    for (const limit of [0, 1001, 1.5, Number.NaN]) {
      expect(await codeOf(registry.listPackages({}, { limit }))).toBe("invalid_argument");
    }
  });

  test("of files needs a package that is there", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry } = instance;
    expect(await codeOf(registry.listFiles("nothing"))).toBe("package_not_found");
    const pkg = await registry.createPackage({ namespace: "a", name: "b", version: "1" });
    await registry.ingestFile(pkg.id, "x", bytesOf("x"));
    expect(await codeOf(registry.statFile(pkg.id, "y"))).toBe("file_not_found");
    expect(await codeOf(registry.getManifestBytes(pkg.id, "cbor"))).toBe("package_not_finalized");
  });
});
