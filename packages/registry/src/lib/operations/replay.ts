import { viewTables } from "@store/database";
import { replay, type Project } from "@store/events";

import { recordedEvent } from "../events/codec.ts";
import type { Instance } from "../instance.ts";
import { project } from "../projections/project.ts";
import type { ReplayOptions, ReplayReport } from "./types.ts";

/**
 * Projects the whole log into scratch tables, then compares the live views with them (`check`) or
 * replaces the live views' rows in one transaction. Readers and writers go on until that moment.
 */
export async function replayViews(
  { database, log, manifestDigest }: Instance,
  { check = false, onProgress }: ReplayOptions,
): Promise<ReplayReport> {
  const projectStored: Project = async (views, stored) => {
    const event = recordedEvent(stored, manifestDigest);
    if (event !== undefined) await project(views, event);
  };
  const scratch = await database.openScratch();
  try {
    const run = await replay(log, scratch, projectStored, onProgress ? { onProgress } : {});
    const catchUp = (): Promise<void> => run.catchUp();
    const differences = check ? await scratch.compare(viewTables, catchUp) : [];
    if (!check) await scratch.swap(viewTables, catchUp);
    return { events: run.events, differences };
  } finally {
    await scratch.close();
  }
}
