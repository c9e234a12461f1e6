import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

import { openDatabase } from "@store/database";
import { parseNamePattern } from "@store/identity";
import {
  openRegistry,
  type PackageSummary,
  type Page,
  type PageOptions,
  type Registry,
} from "@store/registry";
import { createMemoryBackend } from "@store/storage/memory";
import { describe, expect, test } from "vitest";

import { codeOf, dialects, openTestInstance, publish } from "./instance.ts";

type Filter = NonNullable<Parameters<Registry["listPackages"]>[0]>;

/** `name@version` of all that a search finds, by pages of `limit`. */
async function found(registry: Registry, filter: Filter, limit = 3): Promise<string[]> {
  const items: PackageSummary[] = [];
  for (let page: PageOptions = { limit }; ;) {
    const next: Page<PackageSummary> = await registry.listPackages(filter, page);
    items.push(...next.items);
    if (next.cursor === undefined) break;
    page = { limit, cursor: next.cursor };
  }
  return items.map((pkg) => `${pkg.namespace}/${pkg.name}@${pkg.version}`);
}

/** The words of a name, by a definition of the test's own. */
function wordsOf({ namespace, name }: { namespace: string; name: string }): string[] {
  return [namespace, name, ...`${namespace}.${name}`.replace(/[-_]/g, ".").split(".")].toSorted();
}

describe.each(dialects)("a search on %s", (dialect) => {
  test("finds packages by how a word of their name begins, the first word first", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry } = instance;
    await publish(registry, { namespace: "acme", name: "web-app", version: "1.10.0" });
    await publish(registry, { namespace: "acme", name: "web-app", version: "1.9.0" });
    await publish(registry, { namespace: "tools", name: "acme.cli_app", version: "1" });
    await publish(registry, { namespace: "apps-lab", name: "zed", version: "1" });
    await registry.createPackage({ namespace: "other", name: "thing", version: "1" });
    expect(await found(registry, { q: "app" })).toEqual([
      "acme/web-app@1.9.0",
      "acme/web-app@1.10.0",
      "tools/acme.cli_app@1",
      "apps-lab/zed@1",
    ]);
    expect(await found(registry, { q: "APPS-L" })).toEqual(["apps-lab/zed@1"]);
    expect(await found(registry, { q: "acme.cli_a" })).toEqual(["tools/acme.cli_app@1"]);
    expect(await found(registry, { q: "hing" })).toEqual([]);
    expect(await found(registry, { q: "thing" })).toEqual(["other/thing@1"]);
    expect(await found(registry, { q: "thing", status: "finalized" })).toEqual([]);
    expect(await found(registry, { q: "ac", namespace: "tools" })).toEqual([
      "tools/acme.cli_app@1",
    ]);
    expect(await found(registry, { q: "acme", namespace: "acme", name: "web-app" })).toHaveLength(
      2,
    );
    expect(await found(registry, { q: "tool", namespace: "acme", name: "web-app" })).toEqual([]);
    for (const q of ["", "a b", "acme/app", "é", "a".repeat(129)]) {
      expect(await codeOf(registry.listPackages({ q }))).toBe("invalid_argument");
    }
    const { cursor } = await registry.listPackages({}, { limit: 1 });
    const other = registry.listPackages({ q: "app" }, { cursor: cursor ?? "" });
    expect(await codeOf(other)).toBe("invalid_cursor");
  });

  test("gives the whole list's packages under their first word, for any beginning", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry } = instance;
    const parts = ["a", "ab", "b", "b-a", "a.b_c", "abc"];
    for (const namespace of parts) {
      for (const name of parts) {
        await registry.createPackage({ namespace, name, version: "1.0.0" });
        if (name === "ab") await registry.createPackage({ namespace, name, version: "0.9.0" });
      }
    }
    const { items } = await registry.listPackages({}, { limit: 1_000 });
    for (const q of ["a", "ab", "abc", "b", "c", "a.", "b-", "_"]) {
      const hits = items
        .flatMap((pkg) => {
          const word = wordsOf(pkg).find((each) => each.startsWith(q));
          return word === undefined ? [] : [{ word, pkg }];
        })
        // Stable, so that under one word the list's own order stays.
        .toSorted((one, other) => (one.word < other.word ? -1 : Number(one.word > other.word)));
      const expected = hits.map(({ pkg }) => `${pkg.namespace}/${pkg.name}@${pkg.version}`);
      for (const limit of [1, 5, 1_000])
        expect(await found(registry, { q }, limit)).toEqual(expected);
    }
  });

  test("forgets a name with its last package", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry, database } = instance;
    const create = (version: string) =>
      registry.createPackage({ namespace: "acme", name: "gone", version });
    const [first, second] = [await create("1"), await create("2")];
    await registry.abandonPackage(first.id);
    expect(await found(registry, { q: "gone" })).toEqual(["acme/gone@2"]);
    await registry.abandonPackage(second.id);
    expect(await found(registry, { q: "gone" })).toEqual([]);
    const { nameWords } = database.tables;
    expect(await database.reader.select().from(nameWords)).toEqual([]);
    expect(await registry.replay({ check: true })).toMatchObject({ differences: [] });
  });

  test("ends a page early where a status is rare, and goes on from there", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry } = instance;
    const names = Array.from(
      { length: 1_100 },
      (_, index) => `app-${String(index).padStart(4, "0")}`,
    );
    await Promise.all(
      names.map((name) => registry.createPackage({ namespace: "acme", name, version: "1" })),
    );
    await publish(registry, { namespace: "acme", name: names.at(-1) ?? "", version: "2" });
    const filter = { q: "app", status: "finalized" } as const;
    const early = await registry.listPackages(filter);
    expect(early.items).toEqual([]);
    const later = await registry.listPackages(filter, { cursor: early.cursor ?? "" });
    expect(later.items.map((pkg) => pkg.name)).toEqual(["app-1099"]);
    expect(later.cursor).toBeUndefined();
  });

  test("that meets too much of what is not readable is refused, and shows none of it", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry, database } = instance;
    await publish(registry, { namespace: "acme-a", name: "app", version: "1" });
    await publish(registry, { namespace: "zoo", name: "app", version: "1" });
    const rows = Array.from({ length: 70_000 }, (_, index) => ({
      word: index < 3_000 ? "app" : `app-${index}`,
      namespace: `hidden-${index}`,
      name: "app",
    }));
    await database.write(async ({ sql, tables }) => {
      for (let start = 0; start < rows.length; start += 5_000) {
        await sql.insert(tables.nameWords).values(rows.slice(start, start + 5_000));
      }
    });
    const names = [parseNamePattern("acme-*/*"), parseNamePattern("z*/*")];
    const reader = registry.as("reader", { names, accounts: false });
    const page = await reader.listPackages({ q: "app" });
    expect(page.items.map(({ namespace }) => namespace)).toEqual(["acme-a", "zoo"]);
    expect(Buffer.from(page.cursor ?? "", "base64url").toString()).toContain('"zoo","app!"');
    const next = reader.listPackages({ q: "app" }, { cursor: page.cursor ?? "" });
    await expect(next).rejects.toMatchObject({ code: "limit_exceeded" });
    // Whole namespaces are searched by themselves, and meet nothing else.
    const narrow = registry.as("reader", {
      names: [parseNamePattern("acme-a/*")],
      accounts: false,
    });
    const own = await narrow.listPackages({ q: "app" });
    expect(own.items).toHaveLength(1);
    expect(own.cursor).toBeUndefined();
  });
});

test("an instance of schema 1 is searched as soon as it is migrated", async () => {
  const folder = await mkdtemp(join(tmpdir(), "store-search-"));
  const path = join(folder, "store.db");
  const options = {
    database: `sqlite:${path}`,
    backends: { primary: createMemoryBackend() },
    actor: "tester",
  };
  try {
    const before = await openRegistry(options);
    await publish(before, { namespace: "acme", name: "web-app", version: "1" });
    await before.createPackage({ namespace: "acme", name: "open.one", version: "1" });
    const gone = await before.createPackage({ namespace: "acme", name: "gone", version: "1" });
    await before.abandonPackage(gone.id);
    await before.close();
    takeBackToSchemaOne(path);
    await expect(openRegistry(options)).rejects.toMatchObject({ code: "schema_outdated" });
    const database = await openDatabase(options.database);
    await database.migrate();
    const after = await openRegistry({ ...options, database });
    expect(await found(after, { q: "app" })).toEqual(["acme/web-app@1"]);
    expect(await found(after, { q: "one" })).toEqual(["acme/open.one@1"]);
    expect(await after.replay({ check: true })).toMatchObject({ differences: [] });
    await after.close();
    await database.close();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

/** Takes away what the migrations after the first made. */
function takeBackToSchemaOne(path: string): void {
  const database = new DatabaseSync(path);
  const later = ["name_words", "users", "sessions", "api_tokens", "signing_keys"];
  const copies = ["storage_backends", "work_positions"];
  for (const table of [...later, "access_refusals", "upload_sessions", ...copies]) {
    database.exec(`DROP TABLE ${table}`);
  }
  for (const index of ["backend", "failed", "restoring"]) {
    database.exec(`DROP INDEX storage_locations_${index}`);
  }
  for (const column of ["status", "status_at", "restored_until"]) {
    database.exec(`ALTER TABLE storage_locations DROP COLUMN ${column}`);
  }
  database.exec("DELETE FROM schema_migrations WHERE version > 1");
  database.close();
}
