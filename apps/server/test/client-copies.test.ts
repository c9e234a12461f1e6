import { createClient, type StoreClient } from "@store/client";
import { nodeTransport } from "@store/client/node";
import type { ContentAddress } from "@store/identity";
import { openRegistry, type ObjectWorkProgress, type Registry } from "@store/registry";
import { createMemoryBackend } from "@store/storage/memory";
import { describe, expect, onTestFinished, test } from "vitest";

import { createColdStorage, type ColdStorage } from "./cold-storage.ts";
import { startCuttingProxy, type CuttingProxy } from "./cutting-proxy.ts";
import { startTestServer } from "./service.ts";

interface World {
  readonly registry: Registry;
  readonly client: StoreClient;
  readonly proxy: CuttingProxy;
  readonly cold: ColdStorage;
  readonly addresses: readonly ContentAddress[];
}

/** A server with the backends `primary`, which has an archive, and `mirror`, and so many objects. */
async function openWorld(objects: number): Promise<World> {
  const cold = createColdStorage();
  const registry = await openRegistry({
    database: "sqlite::memory:",
    backends: { primary: cold.backend, mirror: createMemoryBackend() },
    actor: "tester",
  });
  const server = await startTestServer({ registry });
  const proxy = await startCuttingProxy(server.url);
  const transport = nodeTransport();
  onTestFinished(async () => {
    transport.close();
    await proxy[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
    await registry.close();
  });
  const credential = { token: "owner" };
  const retry = { firstDelayMs: 1, longestDelayMs: 5 };
  const client = createClient({ url: proxy.url, transport, credential, retry });
  const { id } = await registry.createPackage({ namespace: "acme", name: "app", version: "1" });
  const addresses: ContentAddress[] = [];
  for (let at = 0; at < objects; at += 1) {
    const source = (async function* () {
      yield Buffer.from(`object ${at}`);
    })();
    addresses.push((await registry.ingestFile(id, `file-${at}`, source)).address);
  }
  return { registry, client, proxy, cold, addresses };
}

async function lastOf(work: AsyncIterable<ObjectWorkProgress>) {
  return (await Array.fromAsync(work)).at(-1);
}

describe("a client of a server with several backends", () => {
  test("is told what the registry would tell", async () => {
    const { registry, client, cold, addresses } = await openWorld(3);
    const [address] = addresses;
    if (address === undefined) throw new Error("There are objects.");
    expect(await client.listBackends()).toEqual(await registry.listBackends());
    expect(await lastOf(client.replicateObjects({ to: "mirror" }))).toMatchObject({
      objects: 3,
      total: 3,
      changed: 3,
      problemCount: 0,
      done: true,
    });
    expect(await client.locateObject(address)).toEqual(await registry.locateObject(address));
    const verified = await lastOf(client.verifyObjects({ backend: "mirror" }));
    const again = await lastOf(registry.verifyObjects({ backend: "mirror" }));
    expect(verified).toEqual({ ...again, startedAt: expect.any(String) });
    const emptied = await lastOf(client.evacuateObjects({ from: "mirror", concurrency: 2 }));
    expect(emptied).toMatchObject({ objects: 3, problemCount: 0, done: true });
    cold.archive(address);
    const asked = await client.restoreObject(address, { days: 3, speed: "bulk" });
    expect(asked.copies).toMatchObject([{ backend: "primary", restore: "requested" }]);
    expect(asked).toEqual(await registry.locateObject(address));
  });

  test("is refused what the registry refuses", async () => {
    const { client } = await openWorld(1);
    const unknown = Array.fromAsync(client.replicateObjects({ to: "mirrow" }));
    await expect(unknown).rejects.toMatchObject({
      code: "invalid_argument",
      context: { candidates: ["mirror", "primary"] },
    });
    const primary = Array.fromAsync(client.evacuateObjects({ from: "primary" }));
    await expect(primary).rejects.toMatchObject({ code: "invalid_argument" });
  });

  test("ends a work well over a wire that is cut again and again", async () => {
    const { registry, client, proxy } = await openWorld(300);
    proxy.cutAfter(900, 700, 900);
    const last = await lastOf(client.replicateObjects({ to: "mirror", restart: true }));
    expect(last).toMatchObject({ objects: 300, total: 300, problemCount: 0, done: true });
    expect(proxy.cuts).toBeGreaterThan(1);
    const whole = await lastOf(registry.verifyObjects({ backend: "mirror" }));
    expect(whole).toMatchObject({ objects: 300, problemCount: 0 });
  });
});
