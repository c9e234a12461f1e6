import { hash } from "node:crypto";
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";

import type { Check } from "./check.ts";

/** File name below the migrations folder, with forward slashes, to SHA-256 in hex. */
export type MigrationDigests = Readonly<Record<string, string>>;

const folder = "packages/database/migrations";
const listName = "checksums.json";

/** Where the recorded digests stand, below the root. */
export const checksumsPath = `${folder}/${listName}`;

/** Finds migrations that were changed or removed after they had been recorded. */
export function findChangedMigrations(
  recorded: MigrationDigests,
  actual: MigrationDigests,
): readonly string[] {
  return Object.keys(recorded).flatMap((file) => {
    if (!(file in actual)) return [`${folder}/${file}: recorded, but gone`];
    return actual[file] === recorded[file]
      ? []
      : [
          `${folder}/${file}: changed since it was recorded; write a new migration instead. ` +
            `(Was it never released? Take its line out of ${listName} and record it again.)`,
        ];
  });
}

/** Finds migrations that nobody recorded. */
export function findUnrecordedMigrations(
  recorded: MigrationDigests,
  actual: MigrationDigests,
): readonly string[] {
  return Object.keys(actual)
    .filter((file) => !(file in recorded))
    .map((file) => `${folder}/${file}: not recorded; run pnpm run migrations:record`);
}

/** The digests that were recorded when each migration was written. */
export function readRecordedDigests(root: string): MigrationDigests {
  const path = join(root, checksumsPath);
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as MigrationDigests) : {};
}

/** The digests of the migrations as they stand, in order of file name. */
export function computeDigests(root: string): MigrationDigests {
  const files = globSync("**/*", {
    cwd: join(root, folder),
    withFileTypes: true,
    exclude: (entry) => entry.name === listName,
  });
  const digests = files
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      const file = path.slice(join(root, folder).length + 1).replaceAll("\\", "/");
      return [file, hash("sha256", readFileSync(path))] as const;
    })
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(digests);
}

/** An instance runs each migration once; so a migration that was recorded never changes. */
export const immutableMigrations: Check = {
  name: "immutable migrations",
  run(root) {
    const recorded = readRecordedDigests(root);
    const actual = computeDigests(root);
    return Promise.resolve([
      ...findChangedMigrations(recorded, actual),
      ...findUnrecordedMigrations(recorded, actual),
    ]);
  },
};
