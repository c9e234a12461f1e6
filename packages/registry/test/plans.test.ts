import { parseContentAddress } from "@store/identity";
import { openDatabase, type Database, type Query } from "@store/database";
import { openRegistry } from "@store/registry";
import { createMemoryBackend } from "@store/storage/memory";
import { createTestDatabase } from "@store/testing/postgres";
import { expect, test } from "vitest";

import {
  selectCopiesAt,
  selectCopiesOf,
  selectDamaged,
  selectExtent,
  selectObjects,
  selectObjectsAndCopy,
  selectRestoring,
  selectRetentionClass,
  selectSomeAndCopy,
} from "../src/lib/copies/rows.ts";
import { selectFound } from "../src/lib/queries/found-names.ts";
import { selectNames } from "../src/lib/queries/names.ts";
import { selectPackages, selectVersions } from "../src/lib/queries/packages.ts";
import { selectByDigest, selectHighest, selectVariants } from "../src/lib/queries/resolve.ts";
import { selectCovered } from "../src/lib/queries/readable-objects.ts";
import { selectHolds, selectNamedHolds } from "../src/lib/queries/retention.ts";
import { selectSchemas } from "../src/lib/queries/schemas.ts";
import { selectOfName } from "../src/lib/queries/search.ts";
import { selectTags } from "../src/lib/queries/tags.ts";
import { selectUploads } from "../src/lib/queries/uploads.ts";
import { dialects, publish, type Dialect } from "./instance.ts";

const id = "01900000-0000-7000-8000-000000000001";
const app = { namespace: "acme", name: "app" };
const limit = 101;
const packageKey = ["acme", "app", "1", "", id] as const;

/** Every query that a list or a reference asks, first page and later ones. */
function queriesOf({ reader: sql, tables }: Database): Record<string, Query<unknown>> {
  const filters = {
    everything: {},
    namespace: { namespace: "acme" },
    name: app,
    version: { ...app, version: "1.0.0" },
    variant: { ...app, variant: "linux" },
    open: { status: "open" },
    yanked: { status: "yanked", namespace: "acme" },
    expired: { status: "expired", ...app },
    finalized: { status: "finalized" },
    tagged: { packageId: id },
    lapsed: { status: "open", openUntil: "2026-01-02T03:04:05.678Z" },
  } as const;
  const pages = {
    first: undefined,
    later: [...packageKey] as [string, string, string, string, string],
  };
  const queries: Record<string, Query<unknown>> = {};
  for (const [page, after] of Object.entries(pages)) {
    for (const [name, filter] of Object.entries(filters)) {
      queries[`packages, ${name}, ${page}`] = selectPackages(sql, tables, filter, { after, limit });
    }
    const isLater = after !== undefined;
    queries[`versions, ${page}`] = selectVersions(sql, tables, app, {
      after: isLater ? ["1", 7] : undefined,
      limit,
    });
    for (const filter of [{}, { namespace: "acme" }]) {
      queries[`names of ${JSON.stringify(filter)}, ${page}`] = selectNames(sql, tables, filter, {
        after: isLater ? ["acme", "app"] : undefined,
        limit,
      });
    }
  }
  for (const released of [undefined, true, false]) {
    for (const packageId of [undefined, id]) {
      const name = `holds, ${String(released)}, ${String(packageId)}`;
      queries[name] = selectHolds(sql, tables, { released, packageId }, { after: id, limit });
    }
  }
  queries["tags"] = selectTags(sql, tables, app, { after: "", limit });
  queries["schemas"] = selectSchemas(sql, tables, { after: ["", 0], limit });
  queries["a digest"] = selectByDigest(sql, tables, `blake3:${"0".repeat(64)}`);
  queries["a version"] = selectVariants(sql, tables, app, { version: "1.0.0" });
  queries["a variant"] = selectVariants(sql, tables, app, { version: "1.0.0", variant: "linux" });
  const sender = { actor: "alice", now: "2026-01-02T03:04:05.678Z" };
  queries["uploads"] = selectUploads(sql, tables, sender, { after: undefined, limit });
  queries["uploads, later"] = selectUploads(sql, tables, sender, { after: id, limit });
  queries["the highest version"] = selectHighest(sql, tables, app);
  return queries;
}

const range = { from: ["acme", "a"], to: ["acme", "b"] } as const;
const wide = { from: ["a", ""], to: ["b~", ""] } as const;
const address = parseContentAddress(`blake3:${"0".repeat(64)}`);
const sha256 = parseContentAddress(`sha256:${"0".repeat(64)}`);

/** What callers ask who may read a part of the names, searches, and questions about objects. */
function scopedQueriesOf({ reader: sql, tables }: Database): Record<string, Query<unknown>> {
  const queries: Record<string, Query<unknown>> = {};
  const filters = {
    everything: {},
    namespace: { namespace: "acme" },
    open: { status: "open" },
    yanked: { status: "yanked", namespace: "acme" },
    finalized: { status: "finalized" },
  } as const;
  const pages = {
    first: { after: undefined, ...wide, limit },
    later: {
      after: [...packageKey] as [string, string, string, string, string],
      to: wide.to,
      limit,
    },
  };
  const firstNames = { after: undefined, ...wide, limit };
  const laterNames = { after: ["acme", "app"] as [string, string], to: wide.to, limit };
  for (const [name, filter] of Object.entries(filters)) {
    const bounds = "namespace" in filter ? range : wide;
    const { first, later } = pages;
    const bounded = { ...first, ...bounds };
    queries[`packages, ${name}, in a range`] = selectPackages(sql, tables, filter, bounded);
    const next = { ...later, to: bounds.to };
    queries[`packages, ${name}, later in a range`] = selectPackages(sql, tables, filter, next);
  }
  queries["names in a range"] = selectNames(sql, tables, {}, firstNames);
  queries["names later in a range"] = selectNames(sql, tables, {}, laterNames);
  const ofNamespace = { ...firstNames, ...range };
  queries["names of a namespace in a range"] = selectNames(sql, tables, app, ofNamespace);
  for (const released of [undefined, true, false]) {
    const page = { after: id, limit };
    queries[`holds and their names, ${String(released)}`] = selectNamedHolds(
      sql,
      tables,
      { released },
      page,
    );
  }
  for (const namespace of [undefined, "acme"]) {
    const search = { q: "ap", namespace, from: ["app", "acme", "app"], limit } as const;
    queries[`words in ${namespace}`] = selectFound(sql, tables, search);
  }
  const place = { ...app, sortKey: "", variant: "", packageId: "" };
  for (const status of [undefined, "open", "finalized"] as const) {
    queries[`packages of a found name, ${status}`] = selectOfName(sql, tables, place, {
      status,
      limit,
    });
  }
  for (const ranges of [undefined, [range, wide]]) {
    for (const asked of [[address, address], [sha256]]) {
      const name = `objects ${asked.length} ${asked[0]?.slice(0, 6)}, ${ranges === undefined}`;
      queries[name] = selectCovered({ sql, tables }, ranges, asked);
    }
  }
  return queries;
}

/** What walks over copies, and what watches them, ask. */
function copyQueriesOf({ reader: sql, tables }: Database): Record<string, Query<unknown>> {
  const place = { sql, tables };
  const queries: Record<string, Query<unknown>> = {
    "some objects and their copy": selectSomeAndCopy(place, "primary", [address, address]),
    "the copies of some objects": selectCopiesOf(place, [address, address]),
    "the class of an object": selectRetentionClass(place, address),
    "how many objects": selectExtent(place, undefined),
    "how many copies": selectExtent(place, "primary"),
    "how many damaged copies": selectDamaged(place),
  };
  for (const [page, after] of Object.entries({ first: undefined, later: address })) {
    queries[`objects, ${page}`] = selectObjects(place, { after, limit });
    queries[`objects and a copy, ${page}`] = selectObjectsAndCopy(place, "primary", {
      after,
      limit,
    });
    queries[`copies at a backend, ${page}`] = selectCopiesAt(place, "primary", { after, limit });
    queries[`restores, ${page}`] = selectRestoring(place, "primary", { after, limit });
  }
  return queries;
}

/** How a plan says that rows are sorted, or read in no order. */
const costly = {
  // The key of `package_names` is its table, so that reading it is following the key.
  // A subquery with a limit is read whole, as far as that goes.
  sqlite:
    /TEMP B-TREE|^SCAN (?!package_names|reference$|first_rows$|.* USING (?:COVERING )?INDEX )/m,
  postgres: /Sort|Seq Scan|Bitmap/,
};

/**
 * A database with few rows, for which PostgreSQL would rather read and sort them all: it may do so
 * only where it can do nothing else.
 */
async function openForPlans(dialect: Dialect): Promise<AsyncDisposable & { database: Database }> {
  const postgres = dialect === "postgres" ? await createTestDatabase() : undefined;
  const url = new URL(postgres?.url ?? "sqlite::memory:");
  for (const method of ["seqscan", "sort", "incremental_sort", "bitmapscan"]) {
    if (postgres !== undefined) url.searchParams.set(`enable_${method}`, "off");
  }
  const database = await openDatabase(url.href);
  const backends = { primary: createMemoryBackend() };
  const registry = await openRegistry({ database, backends, actor: "tester" });
  for (const version of ["1.0.0", "2.0.0", "3.0.0"]) {
    const pkg = await publish(registry, { version });
    await registry.setTag({ packageId: pkg.id, tag: `tag-${version}` });
    await registry.placeHold(pkg.id, "a reason");
  }
  return {
    database,
    [Symbol.asyncDispose]: async () => {
      await registry.close();
      await database.close();
      await postgres?.drop();
    },
  };
}

test.each(dialects)("every list and reference follows an index on %s", async (dialect) => {
  await using place = await openForPlans(dialect);
  const faults: string[] = [];
  const queries = {
    ...queriesOf(place.database),
    ...scopedQueriesOf(place.database),
    ...copyQueriesOf(place.database),
  };
  for (const [name, query] of Object.entries(queries)) {
    const plan = await place.database.explain(query);
    if (costly[dialect].test(plan)) faults.push(`${name}: ${plan}`);
  }
  expect(faults).toEqual([]);
});

test.each(dialects)("the plans of %s tell a query that follows none", async (dialect) => {
  await using place = await openForPlans(dialect);
  const { reader: sql, tables } = place.database;
  const { artifactPackages: t } = tables;
  const unindexed = sql.select({ id: t.packageId }).from(t).orderBy(t.source).limit(1);
  expect(await place.database.explain(unindexed)).toMatch(costly[dialect]);
});
