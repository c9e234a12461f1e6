import { encodeHealth, encodeSweepReport } from "@store/api";

import type { Handlers } from "../http/handler.ts";
import { headJson } from "./events.ts";

type InstanceRoutes = "getInstanceHealth" | "replayViews" | "sweep" | "verifyLog";

/** What operators do with the instance as a whole. */
export function instanceHandlers(): Handlers<InstanceRoutes> {
  return {
    getInstanceHealth: async ({ registry }) => ({
      status: 200,
      json: encodeHealth(await registry.health()),
    }),

    replayViews: async ({ registry, body: { check = false } }) => {
      const { events, differences } = await registry.replay({ check });
      const written = differences.map(({ table, count, sample }) => ({
        table,
        count,
        sample: sample.map((row) => ({ ...row })),
      }));
      return { status: 200, json: { events, differences: written } };
    },

    sweep: async ({ registry }) => ({
      status: 200,
      json: encodeSweepReport(await registry.sweep()),
    }),

    verifyLog: async ({ registry }) => ({
      status: 200,
      json: headJson(await registry.verifyLog()),
    }),
  };
}
