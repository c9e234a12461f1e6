// A route of Hono that gives one JSON, and one that gives some bytes, and nothing else, for
// benchmarks. Tells its parent where it listens, and ends when the parent leaves.
import { serve } from "@hono/node-server";
import { Hono } from "hono";

const size = Number(process.argv[2]);
const body = JSON.parse(process.argv[3] ?? "{}") as Record<string, string>;
const bytes = new Uint8Array(size);

const app = new Hono();
app.get("/json/:id", (context) => context.json(body));
app.get("/bytes/:id", (context) => context.body(bytes));
serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, ({ port }) => {
  process.send?.({ url: `http://127.0.0.1:${port}` });
});
process.once("disconnect", () => process.exit(0));
