import { createServer, type AddressInfo } from "node:net";
import { once } from "node:events";

import { StoreError } from "@store/identity";
import type { HealthReport, Registry } from "@store/registry";
import { startServer } from "@store/server";
import { describe, expect, it, vi } from "vitest";

import { openTestRegistry } from "./instance.ts";

const local = { host: "127.0.0.1", port: 0 } as const;

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
    const server = await startServer({ registry, ...local });
    const response = await fetch(`${server.url}/health`);
    expect(await response.json()).toEqual({ status: "ok" });
    await server.close();
    await expect(fetch(`${server.url}/health`)).rejects.toThrow("fetch failed");
  });

  it("lets a request under way end when it closes, and accepts no other", async () => {
    await using opened = await openTestRegistry();
    const { registry, asked, answer } = withSlowHealth(opened);
    const server = await startServer({ registry, ...local });
    const underWay = fetch(`${server.url}/health/ready`);
    await asked;
    const closed = server.close();
    await expect(fetch(`${server.url}/health`)).rejects.toThrow("fetch failed");
    await answer();
    expect((await underWay).status).toBe(200);
    await closed;
  });

  it("cuts off a request that does not end in time", async () => {
    await using opened = await openTestRegistry();
    const { registry, asked, answer } = withSlowHealth(opened);
    const server = await startServer({ registry, ...local, drainMs: 20 });
    const underWay = fetch(`${server.url}/health/ready`);
    await asked;
    await Promise.all([expect(underWay).rejects.toThrow("fetch failed"), server.close()]);
    await answer();
  });

  it("says which port another process listens on", async () => {
    await using registry = await openTestRegistry();
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    await expect(startServer({ registry, host: "127.0.0.1", port })).rejects.toMatchObject({
      code: "address_unavailable",
      message: expect.stringContaining(`127.0.0.1:${port}`),
    });
    other.close();
  });

  it("says which address the machine does not have", async () => {
    await using registry = await openTestRegistry();
    await expect(startServer({ registry, host: "203.0.113.1", port: 0 })).rejects.toMatchObject({
      code: "address_unavailable",
    });
  });

  it("sweeps when it starts, and outlives a sweep that fails", async () => {
    await using opened = await openTestRegistry();
    const failure = new StoreError("storage_unavailable", "The disk is gone.");
    const sweep = vi.fn<Registry["sweep"]>().mockRejectedValue(failure);
    const error = vi.fn<(message: string, error?: unknown) => void>();
    const log = { info: () => {}, error };
    const server = await startServer({ registry: { ...opened, sweep }, ...local, log });
    await vi.waitFor(() => expect(error).toHaveBeenCalledWith("sweeping failed", failure));
    expect(sweep).toHaveBeenCalledOnce();
    expect((await fetch(`${server.url}/health`)).status).toBe(200);
    await server.close();
  });
});
