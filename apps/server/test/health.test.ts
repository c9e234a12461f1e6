import { StoreError } from "@store/identity";
import type { HealthReport, Registry } from "@store/registry";
import { withFaults } from "@store/storage/faults";
import { createMemoryBackend } from "@store/storage/memory";
import { createApp } from "@store/server";
import { describe, expect, it } from "vitest";

import { createReadiness } from "../src/lib/readiness.ts";
import { openTestRegistry } from "./instance.ts";

describe("GET /health", () => {
  it("says that the process answers, and asks nothing else", async () => {
    const untouchable = new Proxy<Partial<Registry>>(
      {},
      {
        get: () => () => {
          throw new Error("liveness asked the registry");
        },
      },
    ) as Registry;
    const response = await createApp(untouchable).request("/health");
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ status: "ok" });
  });
});

describe("GET /health/ready", () => {
  it("names the database, the log and each backend with its free space", async () => {
    await using registry = await openTestRegistry();
    const response = await createApp(registry).request("/health/ready");
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      status: "ready",
      checks: {
        database: { healthy: true, dialect: "sqlite" },
        log: { healthy: true, size: 6, root: expect.stringMatching(/^[0-9a-f]{64}$/) },
        backends: { primary: { healthy: true, kind: "memory" } },
      },
    });
  });

  it("answers 503 with the reason when a backend fails", async () => {
    const broken = withFaults(createMemoryBackend(), [
      {
        verb: "health",
        when: "before",
        effect: "fail",
        call: "every",
        error: new StoreError("storage_unavailable", "The disk is gone."),
      },
    ]);
    await using registry = await openTestRegistry(broken);
    const response = await createApp(registry).request("/health/ready");
    expect(response.status).toBe(503);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expect(await response.json()).toMatchObject({
      status: 503,
      detail: "The backend 'primary' is not ready: The disk is gone.",
      checks: { database: { healthy: true }, backends: { primary: { healthy: false } } },
    });
  });

  it("answers 503 with the reason when the database is closed", async () => {
    const registry = await openTestRegistry();
    await registry.close();
    const response = await createApp(registry).request("/health/ready");
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ detail: expect.stringContaining("database") });
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

  it("is not there where the checks throw", async () => {
    const health = () => Promise.reject(new Error("no"));
    expect(await createReadiness({ health })()).toEqual({
      ready: false,
      reasons: ["The checks failed: no"],
    });
  });
});
