import { expect, test } from "vitest";

import {
  computeDigests,
  findChangedMigrations,
  findUnrecordedMigrations,
  immutableMigrations,
} from "../checks/immutable-migrations.ts";
import { folderWith, writeFiles } from "./fixture.ts";

const migrations = "packages/database/migrations";
const first = `${migrations}/sqlite/0001_initial.sql`;

test("a recorded migration that stays as it is passes", async () => {
  const root = folderWith({ [first]: "CREATE TABLE a (b TEXT);" });
  writeFiles(root, { [`${migrations}/checksums.json`]: JSON.stringify(computeDigests(root)) });
  expect(await immutableMigrations.run(root)).toEqual([]);
});

test("one changed byte of a recorded migration fails", async () => {
  const root = folderWith({ [first]: "CREATE TABLE a (b TEXT);" });
  writeFiles(root, {
    [`${migrations}/checksums.json`]: JSON.stringify(computeDigests(root)),
    [first]: "CREATE TABLE a (c TEXT);",
  });
  expect(await immutableMigrations.run(root)).toEqual([
    expect.stringContaining(`${first}: changed`),
  ]);
});

test("a migration that nobody recorded fails", () => {
  expect(findUnrecordedMigrations({}, { "sqlite/0002.sql": "aa" })).toEqual([
    expect.stringContaining("pnpm run migrations:record"),
  ]);
});

test("a recorded migration that is gone fails", () => {
  expect(findChangedMigrations({ "sqlite/0001.sql": "aa" }, {})).toEqual([
    expect.stringContaining("recorded, but gone"),
  ]);
});
