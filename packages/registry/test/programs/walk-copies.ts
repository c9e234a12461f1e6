/**
 * Does one piece of work over copies until its end, or until it is killed. Prints `begun` with the
 * first progress, and `done` with the number of problems. Run as a process of its own:
 *
 *     node walk-copies.ts <database url> <folder of the backends> <placement's primary> <work as JSON>
 *
 * The work: `{"replicate": {"to": …}}` or `{"evacuate": {"from": …, "to": …}}`.
 */
import { writeSync } from "node:fs";

import type { EvacuateObjectsOptions, ReplicateObjectsOptions } from "@store/registry";

import { openLocalCopies } from "../local-copies.ts";

const [database = "", folder = "", primary = "", json = "{}"] = process.argv.slice(2);
const work = JSON.parse(json) as {
  readonly replicate?: ReplicateObjectsOptions;
  readonly evacuate?: EvacuateObjectsOptions;
};

const { registry, close } = await openLocalCopies(database, folder, primary);
const walks = [
  work.replicate === undefined ? [] : [registry.replicateObjects(work.replicate)],
  work.evacuate === undefined ? [] : [registry.evacuateObjects(work.evacuate)],
].flat();
for (const walk of walks) {
  for await (const { objects, problemCount, done, resumed } of walk) {
    if (!done) writeSync(1, `begun ${objects} ${resumed ? "resumed" : "anew"}\n`);
    else writeSync(1, `done ${problemCount}\n`);
  }
}
await close();
