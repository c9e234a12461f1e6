import { StoreError, storeErrorCodes, type StoreErrorCode } from "@store/identity";
import { createApp, httpStatusOf } from "@store/server";
import { describe, expect, it } from "vitest";

import { problemOf } from "../src/lib/problem.ts";
import { openTestRegistry } from "./instance.ts";

describe("a request that nothing answers", () => {
  it("to an unknown path is a 404 problem", async () => {
    await using registry = await openTestRegistry();
    const response = await createApp(registry).request("/nowhere");
    expect(response.status).toBe(404);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expect(await response.json()).toEqual({
      type: "about:blank",
      title: "Not Found",
      status: 404,
      detail: "Nothing is served at /nowhere.",
    });
  });

  it("with another method is a 405 problem that names the methods", async () => {
    await using registry = await openTestRegistry();
    const app = createApp(registry);
    for (const path of ["/health", "/health/ready"]) {
      for (const method of ["POST", "DELETE", "OPTIONS"]) {
        const response = await app.request(path, { method });
        expect(response.status).toBe(405);
        expect(response.headers.get("allow")).toBe("GET, HEAD");
        expect(response.headers.get("content-type")).toBe("application/problem+json");
      }
    }
  });

  it("is not what HEAD is to a path that GET answers", async () => {
    await using registry = await openTestRegistry();
    const response = await createApp(registry).request("/health", { method: "HEAD" });
    expect(response.status).toBe(200);
    expect(await response.text()).toBe("");
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

  it("that nobody threw on purpose says nothing of the inside, but is logged", async () => {
    await using registry = await openTestRegistry();
    const logged: unknown[] = [];
    const app = createApp(registry, {
      log: { info: () => {}, error: (_, error) => logged.push(error) },
    });
    const defect = new Error("secret of the inside");
    app.get("/defect", () => {
      throw defect;
    });
    const response = await app.request("/defect");
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain("secret");
    expect(logged).toEqual([defect]);
  });
});
