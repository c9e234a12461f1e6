import { isStoreError, StoreError, storeErrorCodes, type StoreErrorCode } from "@store/identity";
import { httpStatusOf } from "@store/server";
import { describe, expect, it } from "vitest";

import { problemHeaders, problemOf } from "../src/lib/problem.ts";
import { openTestRegistry } from "./instance.ts";
import { startTestServer } from "./service.ts";

const problemType = "application/problem+json";

describe("a request that nothing answers", () => {
  it("to an unknown path is a 404 problem", async () => {
    await using server = await startTestServer();
    const response = await server.call(undefined, "/nowhere?secret=1");
    expect(response.status).toBe(404);
    expect(response.headers.get("content-type")).toBe(problemType);
    expect(await response.json()).toEqual({
      type: "about:blank",
      title: storeErrorCodes.route_not_found,
      status: 404,
      detail: "Nothing is served at /nowhere; /docs lists what is.",
      code: "route_not_found",
      requestId: response.headers.get("x-request-id"),
    });
  });

  it("with another method is a 405 problem that names the methods", async () => {
    await using server = await startTestServer();
    for (const [path, allow] of [
      ["/health", "GET, HEAD"],
      ["/api/v1/packages", "GET, HEAD, POST"],
      ["/api/v1/uploads", "GET, HEAD, OPTIONS, POST"],
    ] as const) {
      const response = await server.call(undefined, path, { method: "PATCH" });
      expect(response.status).toBe(405);
      expect(response.headers.get("allow")).toBe(allow);
      expect(await response.json()).toMatchObject({ code: "method_not_allowed" });
    }
  });
});

describe("HEAD", () => {
  it("answers what GET answers, without the body", async () => {
    await using server = await startTestServer();
    for (const path of ["/health", "/openapi.json", "/docs", "/api/v1/packages", "/nowhere"]) {
      const got = await server.call("owner", path);
      const head = await server.call("owner", path, { method: "HEAD" });
      expect(head.status).toBe(got.status);
      expect(await head.text()).toBe("");
      for (const name of ["content-type", "content-length", "content-security-policy", "etag"]) {
        expect(head.headers.get(name)).toBe(got.headers.get(name));
      }
      await got.arrayBuffer();
    }
  });
});

describe("an error", () => {
  const codes = Object.keys(storeErrorCodes) as StoreErrorCode[];

  it.each(codes)("%s has a status of its kind", (code) => {
    const status = httpStatusOf(code);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(600);
    expect(problemOf(new StoreError(code, "It failed."))).toEqual({
      type: "about:blank",
      title: storeErrorCodes[code],
      status,
      detail: "It failed.",
      code,
    });
  });

  it("tells its circumstances", () => {
    const error = new StoreError("invalid_path", "No.", { context: { path: "../x" } });
    expect(problemOf(error)).toMatchObject({ status: 400, context: { path: "../x" } });
  });

  it("says how long to wait where waiting helps", () => {
    const slowDown = new StoreError("rate_limited", "Wait.", { context: { limit: 41.2 } });
    expect(problemHeaders(problemOf(slowDown))).toHaveProperty("retry-after", "42");
    for (const code of ["database_unavailable", "storage_unavailable"] as const) {
      const away = problemOf(new StoreError(code, "Away."));
      expect(problemHeaders(away)).toHaveProperty("retry-after", "5");
    }
    const refused = problemHeaders(problemOf(new StoreError("invalid_path", "No.")));
    expect(refused).not.toHaveProperty("retry-after");
  });

  it("that nobody threw on purpose says nothing of the inside, but is logged whole", async () => {
    await using opened = await openTestRegistry();
    const defect = new Error("secret of the inside");
    const registry = { ...opened, health: () => Promise.reject(defect) };
    const as: typeof registry.as = () => ({
      ...opened,
      listNames: () => Promise.reject(defect),
    });
    await using server = await startTestServer({ registry: { ...registry, as } });
    const response = await server.call("owner", "/api/v1/names");
    expect(response.status).toBe(500);
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({ code: "internal", detail: "A defect in Store." });
    expect(text).not.toContain("secret");
    expect(server.failures).toEqual([defect]);
  });
});

describe("a caller who is not let in", () => {
  it("is told to bring a credential, and how", async () => {
    await using server = await startTestServer();
    for (const as of [undefined, "nonsense"]) {
      const response = await server.call(as, "/api/v1/packages");
      expect(response.status).toBe(401);
      expect(response.headers.get("www-authenticate")).toBe('Bearer realm="store"');
      expect(await response.json()).toMatchObject({ code: "unauthenticated" });
    }
  });

  it("learns nothing of the request before that", async () => {
    await using server = await startTestServer();
    for (const [target, init] of [
      ["/api/v1/packages?nonsense=1", {}],
      ["/api/v1/packages", { method: "POST", body: "no JSON" }],
      ["/api/v1/admin/users", { method: "POST", body: "{}" }],
      ["/metrics", {}],
    ] as const) {
      const response = await server.call(undefined, target, init);
      expect(response.status).toBe(401);
      await response.arrayBuffer();
    }
  });

  it.each([
    ["reader", "GET", "/metrics"],
    ["watcher", "GET", "/api/v1/packages"],
    ["reader", "POST", "/api/v1/uploads"],
    ["writer", "GET", "/api/v1/admin/users"],
    ["writer", "POST", "/api/v1/admin/users"],
  ])("as %s may not %s %s", async (as, method, target) => {
    await using server = await startTestServer();
    const response = await server.call(as, target, { method });
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ code: "permission_denied" });
  });

  it("is told how long to wait after too many failures", async () => {
    await using server = await startTestServer();
    const response = await server.call("many", "/api/v1/packages");
    expect(response.status).toBe(429);
    expect(response.headers.get("retry-after")).toBe("42");
  });

  it("may read without a credential where everybody may, and change nothing", async () => {
    await using server = await startTestServer({ anonymousRead: true });
    expect((await server.call(undefined, "/api/v1/packages")).status).toBe(200);
    const changing = { method: "POST", body: "this is not even looked at" };
    expect((await server.call(undefined, "/api/v1/packages", changing)).status).toBe(401);
  });

  it("is remembered, with the request's id and without its query", async () => {
    await using server = await startTestServer();
    const headers = { "x-request-id": "build-7.2_x" };
    await server.call(undefined, "/api/v1/packages?q=secret", { headers });
    await server.call("reader", "/metrics");
    await server.call("owner", "/nowhere");
    expect(server.refusals).toEqual([
      {
        code: "unauthenticated",
        address: "127.0.0.1",
        actor: "anonymous",
        method: "GET",
        path: "/api/v1/packages",
        requestId: "build-7.2_x",
      },
      expect.objectContaining({ code: "permission_denied", actor: "token:reader" }),
    ]);
  });
});

describe("a request's id", () => {
  it("is the caller's where it is harmless, and else a new one", async () => {
    await using server = await startTestServer();
    const idOf = async (given: string) => {
      const response = await server.call(undefined, "/health", {
        headers: { "x-request-id": given },
      });
      return response.headers.get("x-request-id");
    };
    expect(await idOf("abc.DEF-1_2")).toBe("abc.DEF-1_2");
    for (const given of ["a b", "a,b", "a".repeat(65), "é", '"><script>']) {
      expect(await idOf(given)).toMatch(/^[0-9a-f]{8}-[0-9a-f-]{27}$/);
    }
  });

  it("is that of the answer, of the problem and of what is told afterwards", async () => {
    await using server = await startTestServer();
    const response = await server.call("owner", "/api/v1/packages?limit=0");
    const problem: unknown = await response.json();
    const requestId = response.headers.get("x-request-id");
    expect(problem).toMatchObject({ requestId });
    expect(server.answered).toEqual([
      {
        requestId,
        operation: "listPackages",
        method: "GET",
        path: "/api/v1/packages",
        address: "127.0.0.1",
        actor: "owner",
        status: 400,
        code: "invalid_argument",
        durationMs: expect.any(Number),
        receivedBytes: 0,
        sentBytes: Buffer.byteLength(JSON.stringify(problem)),
        outcome: "whole",
      },
    ]);
    expect(isStoreError(server.failures[0])).toBe(false);
  });
});
