import type { HealthReport, Registry } from "@store/registry";
import { Hono } from "hono";

import { problemResponse } from "./problem.ts";
import { createReadiness } from "./readiness.ts";

/**
 * `GET /` says that the process answers, and asks nothing else; `GET /ready` says whether it can
 * work: the database, each backend and the log.
 */
export function healthRoutes(registry: Registry): Hono {
  const readiness = createReadiness(registry);
  const routes = new Hono();
  routes.get("/", (c) => c.json({ status: "ok" }, 200, { "cache-control": "no-store" }));
  routes.get("/ready", async (c) => {
    const { ready, reasons, report } = await readiness();
    const checks = report === undefined ? {} : { checks: checksOf(report) };
    if (ready) return c.json({ status: "ready", ...checks }, 200, { "cache-control": "no-store" });
    return problemResponse(c, {
      type: "about:blank",
      title: "Service Unavailable",
      status: 503,
      detail: reasons.join(" "),
      reasons,
      ...checks,
    });
  });
  return routes;
}

function checksOf(report: HealthReport): object {
  return {
    database: report.database,
    log: report.log,
    backends: Object.fromEntries(
      Object.entries(report.backends).map(([role, health]) => [
        role,
        {
          healthy: health.healthy,
          kind: health.kind,
          reason: health.reason,
          free_bytes: health.freeBytes,
          total_bytes: health.totalBytes,
        },
      ]),
    ),
  };
}
