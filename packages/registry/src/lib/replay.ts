import { viewTables } from "@store/database";
import { replay } from "@store/events";

import { recordedEvent } from "./event-codec.ts";
import type { Instance } from "./instance.ts";
import { project } from "./projections/project.ts";
import type { ReplayReport } from "./types.ts";

export interface ReplayOptions {
  readonly check?: boolean;
  readonly onProgress?: (progress: { events: number; total: number }) => void;
}
