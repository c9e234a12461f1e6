import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import postgres from "postgres";
import { describe, expect, test } from "vitest";
import { loadMigrations } from "../src/lib/migrations.ts";
import { newPlace, openPlace, sharedPlaces } from "./dialects.ts";

interface Named {
  readonly namespace: string;
  readonly name: string;
}

/** Runs SQL in a database that nobody has open. */
async function run(url: string, text: string): Promise<void> {
  if (url.startsWith("sqlite:")) {
    const database = new DatabaseSync(url.slice("sqlite:".length));
    database.exec(text);
    database.close();
    return;
  }
  const parsed = new URL(url);
  const schema = parsed.searchParams.get("schema") ?? "";
  parsed.search = "";
  const sql = postgres(parsed.href, { max: 1, onnotice: () => undefined });
  try {
    await sql.unsafe(`CREATE SCHEMA IF NOT EXISTS "${schema}"; SET search_path = "${schema}"`);
    await sql.unsafe(text);
  } finally {
    await sql.end();
  }
}

/** The SQL that makes a database as schema 1 left it, with a package under each name. */
async function schemaOne(dialect: "sqlite" | "postgres", names: readonly Named[]): Promise<string> {
  const [first] = await loadMigrations(dialect);
  const packages = names.map(
    ({ namespace, name }, index) =>
      `INSERT INTO artifact_packages (package_id, namespace, name, version, variant,
        version_sort_key, prerelease, status, revision, created_at, created_seq, created_by,
        retention_class, file_count, size_bytes)
      VALUES ('${index}', '${namespace}', '${name}', '1', '', '1', 0, 'open', 0, '', 1, '', '', 0, 0)`,
  );
  const applied = `CREATE TABLE schema_migrations (version integer NOT NULL PRIMARY KEY,
    name text NOT NULL, sha256 text NOT NULL, applied_at text NOT NULL);
    INSERT INTO schema_migrations VALUES (1, '${first?.name}', '${first?.sha256}', '')`;
  return [first?.sql ?? "", applied, ...packages].join(";\n");
}

/** What the words of names are, said without a pattern. */
function wordsOf(names: readonly Named[]): string[] {
  const rows = names.flatMap(({ namespace, name }) => {
    const parts = `${namespace}-${name}`.replaceAll(".", "-").replaceAll("_", "-").split("-");
    return [namespace, name, ...parts]
      .filter((word) => word !== "")
      .map((word) => `${word} ${namespace}/${name}`);
  });
  return [...new Set(rows)].toSorted();
}

const character = fc.constantFrom("a", "b", "c", "1", ".", "_", "-");
const text = fc
  .tuple(fc.constantFrom("a", "z", "0"), fc.string({ unit: character, maxLength: 12 }))
  .map((parts) => parts.join(""));

describe.each(sharedPlaces)("the migration 0002 on %s", (place) => {
  test("gives the names that are there their words", async () => {
    const drawn = fc.sample(fc.record({ namespace: text, name: text }), { numRuns: 200, seed: 1 });
    const names = [
      ...drawn,
      ...drawn.slice(0, 5),
      { namespace: "acme", name: "app" },
      { namespace: "acme-labs", name: "app.core_linux--x64-" },
      { namespace: "acme", name: "acme" },
    ];
    const url = await newPlace(place);
    const dialect = url.startsWith("sqlite:") ? "sqlite" : "postgres";
    await run(url, await schemaOne(dialect, names));
    const database = await openPlace(url);
    expect(await database.migrate()).toMatchObject({ from: 1 });
    const rows = await database.reader.select().from(database.tables.nameWords);
    const found = rows.map(({ word, namespace, name }) => `${word} ${namespace}/${name}`);
    expect(found.toSorted()).toEqual(wordsOf(names));
  });
});
