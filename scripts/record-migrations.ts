// Adds the digests of new migrations to the recorded ones; refuses where a recorded one changed.
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

import {
  checksumsPath,
  computeDigests,
  findChangedMigrations,
  readRecordedDigests,
} from "./checks/immutable-migrations.ts";

const root = resolve(import.meta.dirname, "..");
const recorded = readRecordedDigests(root);
const actual = computeDigests(root);
const changed = findChangedMigrations(recorded, actual);

if (changed.length > 0) {
  console.error(changed.join("\n"));
  process.exitCode = 1;
} else {
  writeFileSync(join(root, checksumsPath), `${JSON.stringify(actual, null, 2)}\n`);
  const added = Object.keys(actual).filter((file) => !(file in recorded));
  console.log(added.length > 0 ? `Recorded ${added.join(", ")}` : "Nothing new to record");
}
