import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { createServer, type AddressInfo } from "node:net";

import { getRequestListener } from "@hono/node-server";
import type { HealthReport, Registry } from "@store/registry";
import { createApp, startServer } from "@store/server";
import { Hono } from "hono";
import { describe, expect, it } from "vitest";

import { openConnection } from "./connection.ts";
import { openTestRegistry } from "./instance.ts";
import { startTestServer, testAccess } from "./service.ts";

const settings = { host: "127.0.0.1", port: 0 };
const { access } = testAccess();

/** A registry whose health check ends when the test says so. */
function withSlowHealth(registry: Registry) {
  const check = Promise.withResolvers<HealthReport>();
  const asked = Promise.withResolvers<void>();
  const health = async () => {
    asked.resolve();
    return await check.promise;
  };
  const answer = async () => check.resolve(await registry.health());
  return { registry: { ...registry, health }, asked: asked.promise, answer };
}

describe("a server", () => {
  it("answers at the URL that it gives", async () => {
    await using registry = await openTestRegistry();
    const server = await startServer({ service: { registry, access }, settings });
    const response = await fetch(`${server.url}/health`);
    expect(await response.json()).toEqual({ status: "ok" });
    await server.close();
    await expect(fetch(`${server.url}/health`)).rejects.toThrow("fetch failed");
  });

  it("lets a request under way end when it closes, and accepts no other", async () => {
    await using opened = await openTestRegistry();
    const { registry, asked, answer } = withSlowHealth(opened);
    const server = await startServer({ service: { registry, access }, settings });
    const underWay = fetch(`${server.url}/health/ready`);
    await asked;
    const closed = server.close();
    await expect(fetch(`${server.url}/health`)).rejects.toThrow("fetch failed");
    await answer();
    const response = await underWay;
    expect(response.status).toBe(200);
    expect(response.headers.get("connection")).toBe("close");
    await closed;
  });

  it("cuts off a request that does not end in time", async () => {
    await using opened = await openTestRegistry();
    const { registry, asked, answer } = withSlowHealth(opened);
    const server = await startTestServer({ registry, drainMs: 20 });
    const underWay = fetch(`${server.url}/health/ready`);
    await asked;
    await Promise.all([expect(underWay).rejects.toThrow("fetch failed"), server.close()]);
    await answer();
  });

  it("tells what it cuts off to stop, and why, before it closes the connection", async () => {
    await using registry = await openTestRegistry();
    const made = await registry.createPackage({ namespace: "acme", name: "app", version: "1" });
    const server = await startTestServer({ registry, drainMs: 20 });
    using connection = await openConnection(server.port);
    connection.send(
      [
        `PUT /api/v1/packages/${made.id}/files/a HTTP/1.1`,
        "Host: store",
        "Authorization: Bearer owner",
        "Expect: 100-continue",
        "Content-Length: 100",
        "",
        "",
      ].join("\r\n"),
    );
    await connection.until(/100 Continue/);
    await server.close();
    expect(await connection.closed()).toMatch(/HTTP\/1.1 503 .*"code":"closed"/s);
    expect((await registry.listFiles(made.id)).items).toEqual([]);
  });

  it("says which port another process listens on", async () => {
    await using registry = await openTestRegistry();
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    const taken = { service: { registry, access }, settings: { host: "127.0.0.1", port } };
    await expect(startServer(taken)).rejects.toMatchObject({
      code: "address_unavailable",
      message: expect.stringContaining(`127.0.0.1:${port}`),
    });
    other.close();
  });

  it("says which address the machine does not have", async () => {
    await using registry = await openTestRegistry();
    const elsewhere = { host: "203.0.113.1", port: 0 };
    await expect(
      startServer({ service: { registry, access }, settings: elsewhere }),
    ).rejects.toMatchObject({ code: "address_unavailable" });
  });
});

describe("the app", () => {
  it("answers within another one, beside routes of that", async () => {
    await using registry = await openTestRegistry();
    const app = new Hono();
    app.get("/mine", (c) => c.text("mine"));
    app.route("/", createApp({ registry, access }));
    const answer = getRequestListener(app.fetch);
    const server = createHttpServer((incoming, outgoing) => void answer(incoming, outgoing));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    expect(await (await fetch(`${url}/mine`)).text()).toBe("mine");
    const headers = { authorization: "Bearer owner" };
    expect(await (await fetch(`${url}/api/v1/packages`, { headers })).json()).toEqual({
      items: [],
    });
    const head = await fetch(`${url}/health`, { method: "HEAD" });
    expect([head.status, head.headers.get("content-length")]).toEqual([200, "15"]);
    expect((await fetch(`${url}/nowhere`, { method: "POST", body: "x" })).status).toBe(404);
    server.close();
    server.closeAllConnections();
  });
});
