import { pathToFileURL } from "node:url";
import { describe, expect, test } from "vitest";
import { loadMigrations } from "../src/lib/migrations.ts";
import { indexStatementsOf } from "../src/lib/postgres/index-statements.ts";
import { compatible, currentVersion, nextVersion } from "./next-version.ts";

describe("the head of a migration's file", () => {
  test("says which code goes on working, and how it runs", async () => {
    const folder = await nextVersion(compatible);
    const files = await loadMigrations("postgres", pathToFileURL(`${folder}/`));
    expect(files.slice(currentVersion)).toMatchObject([
      { compatibleFrom: currentVersion, outsideTransaction: false },
      { compatibleFrom: currentVersion, outsideTransaction: true },
    ]);
    expect(files[0]).toMatchObject({ compatibleFrom: 1, outsideTransaction: false });
  });

  test("is refused where it says what is nothing", async () => {
    for (const line of [
      "-- compatible-form: 2",
      "-- compatible-from",
      "-- outside-transaction: x",
    ]) {
      const folder = await nextVersion({ wrong: `${line}\nSELECT 1;\n` });
      const loading = loadMigrations("postgres", pathToFileURL(`${folder}/`));
      await expect(loading).rejects.toMatchObject({ code: "internal" });
    }
  });

  test("lets nothing but indexes run outside of a transaction", async () => {
    for (const migration of await loadMigrations("postgres")) {
      if (migration.outsideTransaction) expect(indexStatementsOf(migration)).not.toEqual([]);
    }
    const folder = await nextVersion({ wrong: "-- outside-transaction\nDROP TABLE tags;\n" });
    const files = await loadMigrations("postgres", pathToFileURL(`${folder}/`));
    const last = files.at(-1);
    expect(() => last && indexStatementsOf(last)).toThrow(
      expect.objectContaining({ code: "internal" }),
    );
  });

  test("says the same to both databases", async () => {
    const [sqlite, postgresql] = await Promise.all([
      loadMigrations("sqlite"),
      loadMigrations("postgres"),
    ]);
    const said = ({ compatibleFrom, outsideTransaction }: (typeof sqlite)[number]): unknown => [
      compatibleFrom,
      outsideTransaction,
    ];
    expect(sqlite.map(said)).toEqual(postgresql.map(said));
  });
});
