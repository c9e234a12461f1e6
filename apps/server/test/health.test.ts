import { StoreError } from "@store/identity";
import type { HealthReport, Registry } from "@store/registry";
import { withFaults } from "@store/storage/faults";
import { createMemoryBackend } from "@store/storage/memory";
import { describe, expect, it } from "vitest";

import { createReadiness } from "../src/lib/readiness.ts";
import { openTestRegistry } from "./instance.ts";
import { startTestServer } from "./service.ts";

describe("GET /health", () => {
  it("says that the process answers, and asks nothing else", async () => {
    await using opened = await openTestRegistry();
    const untouchable = new Proxy<Registry>(opened, {
      get: (target, name) => {
        // Sweeping is the server's own business.
        if (name === "sweep") return target.sweep;
        return () => {
          throw new Error("liveness asked the registry");
        };
      },
    });
    await using server = await startTestServer({ registry: untouchable });
    const response = await server.call("nonsense", "/health");
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ status: "ok" });
  });
});

describe("GET /health/ready", () => {
  it("says that the instance can work, and nothing more", async () => {
    await using server = await startTestServer();
    const response = await server.call(undefined, "/health/ready");
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ status: "ready" });
  });

  it("keeps the reason to itself when a backend fails, and logs it", async () => {
    const broken = withFaults(createMemoryBackend(), [
      {
        verb: "health",
        when: "before",
        effect: "fail",
        call: "every",
        error: new StoreError("storage_unavailable", "The disk at /secret is gone."),
      },
    ]);
    await using registry = await openTestRegistry(broken);
    await using server = await startTestServer({ registry });
    const response = await server.call(undefined, "/health/ready");
    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).toBe("5");
    const problem: unknown = await response.json();
    expect(problem).toMatchObject({ status: 503, code: "storage_unavailable" });
    expect(JSON.stringify(problem)).not.toContain("disk");
    expect(server.failures).toMatchObject([
      { cause: { message: expect.stringContaining("The disk at /secret is gone.") } },
    ]);
  });

  it("answers 503 when the database is closed", async () => {
    const registry = await openTestRegistry();
    await registry.close();
    await using server = await startTestServer({ registry });
    const response = await server.call(undefined, "/health/ready");
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ code: "database_unavailable" });
  });
});

describe("GET /api/v1/admin/health", () => {
  it("tells whoever may know of the database, the log and each backend", async () => {
    await using server = await startTestServer();
    expect((await server.call("writer", "/api/v1/admin/health")).status).toBe(403);
    const response = await server.call("owner", "/api/v1/admin/health");
    expect(await response.json()).toMatchObject({
      healthy: true,
      database: { healthy: true, dialect: "sqlite" },
      log: { healthy: true, root: expect.stringMatching(/^[0-9a-f]{64}$/) },
      backends: { primary: { healthy: true, kind: "memory" } },
    });
  });
});

describe("readiness", () => {
  it("does not wait for checks that hang, and does not start them again meanwhile", async () => {
    const check = Promise.withResolvers<HealthReport>();
    let asked = 0;
    const health = () => {
      asked += 1;
      return check.promise;
    };
    const readiness = createReadiness({ health }, { deadlineMs: 20 });
    const [first, second] = await Promise.all([readiness(), readiness()]);
    expect(first).toEqual({ ready: false, reasons: ["The checks did not end within 20 ms."] });
    expect(second).toEqual(first);
    expect(asked).toBe(1);

    check.resolve({
      healthy: true,
      database: { healthy: true, dialect: "sqlite" },
      log: { healthy: true, size: 1, root: "" },
      backends: {},
    });
    expect(await readiness()).toMatchObject({ ready: true, reasons: [] });
    expect(await readiness()).toMatchObject({ ready: true });
  });

  it("is asked for once in a while where all is well, and each time where it is not", async () => {
    let [asked, healthy] = [0, true];
    const health = async (): Promise<HealthReport> => {
      asked += 1;
      const database = { healthy, dialect: "sqlite" } as const;
      return { healthy, database, log: { healthy: true, size: 1, root: "" }, backends: {} };
    };
    const readiness = createReadiness({ health }, { freshMs: 3_600_000 });
    for (const _ of "123") expect(await readiness()).toMatchObject({ ready: true, reasons: [] });
    expect(asked).toBe(1);
    const other = createReadiness({ health }, { freshMs: 3_600_000 });
    healthy = false;
    for (const _ of "123") expect(await other()).toMatchObject({ ready: false });
    expect(asked).toBe(4);
    healthy = true;
    expect(await other()).toMatchObject({ ready: true });
  });

  it("is not there where the checks throw", async () => {
    const health = () => Promise.reject(new Error("no"));
    expect(await createReadiness({ health })()).toEqual({
      ready: false,
      reasons: ["The checks failed: no"],
    });
  });
});
