import type { Registry } from "@store/registry";
import { Hono, type Context } from "hono";

import { healthRoutes } from "./health-routes.ts";
import type { Log } from "./log.ts";
import { problemOf, problemResponse } from "./problem.ts";

export interface AppOptions {
  readonly log?: Log;
}

/** The HTTP API of a registry, as an app that any server can mount. */
export function createApp(registry: Registry, options: AppOptions = {}): Hono {
  const app = new Hono();
  app.route("/health", healthRoutes(registry));
  app.notFound((c) => answerUnmatched(app, c));
  app.onError((error, c) => {
    const problem = problemOf(error);
    if (problem.status >= 500) options.log?.error(`${c.req.method} ${c.req.path} failed`, error);
    return problemResponse(c, problem);
  });
  return app;
}

const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/** Tells a path that nobody serves from one that is served with other methods (RFC 9110 §15.5.6). */
function answerUnmatched(app: Hono, c: Context): Response {
  const { method, path } = c.req;
  const allowed = methods.filter((other) => {
    const route = other === "HEAD" ? "GET" : other;
    return app.router.match(route, path)[0].length > 0;
  });
  if (allowed.length === 0) {
    return problemResponse(c, {
      type: "about:blank",
      title: "Not Found",
      status: 404,
      detail: `Nothing is served at ${path}.`,
    });
  }
  const allow = allowed.join(", ");
  return problemResponse(
    c,
    {
      type: "about:blank",
      title: "Method Not Allowed",
      status: 405,
      detail: `${path} does not answer ${method}; it answers ${allow}.`,
    },
    { allow },
  );
}
