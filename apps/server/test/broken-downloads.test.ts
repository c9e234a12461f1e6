import { StoreError } from "@store/identity";
import { withFaults } from "@store/storage/faults";
import { createMemoryBackend } from "@store/storage/memory";
import { describe, expect, it, vi } from "vitest";

import { openByteServer } from "./byte-server.ts";
import { content, get, publish, reading } from "./download.ts";

describe("a download that goes wrong", () => {
  /** Storage that flips a byte of what it reads, near the end. */
  function corrupted(sizeBytes = content.length) {
    const memory = createMemoryBackend();
    return reading(memory, async function* (...asked) {
      let position = 0;
      for await (const chunk of memory.open(...asked)) {
        const at = sizeBytes - 1 - position;
        if (at >= 0 && at < chunk.length) chunk[at]! ^= 1;
        position += chunk.length;
        yield chunk;
      }
    });
  }

  it("is cut where its bytes are damaged, and never whole", async () => {
    await using server = await openByteServer(corrupted());
    const path = await publish(server.registry);
    const response = await get(server, path);
    expect(response.status).toBe(200);
    await expect(response.arrayBuffer()).rejects.toThrow("terminated");
    expect(server.answered.at(-1)).toMatchObject({ outcome: "cut", status: 200 });
    expect(server.failures).toMatchObject([{ code: "object_corrupt" }]);
  });

  it("is a problem where that shows before the first byte is sent", async () => {
    await using server = await openByteServer(corrupted(1));
    const { id } = await server.registry.createPackage({
      namespace: "acme",
      name: "app",
      version: "1.0.0",
    });
    const source = (async function* () {
      yield Buffer.from("x");
    })();
    await server.registry.ingestFile(id, "a", source);
    const response = await get(server, `/api/v1/packages/${id}/files/a`);
    expect([response.status, await response.json()]).toMatchObject([
      500,
      { code: "object_corrupt" },
    ]);
  });

  it("is a problem where the storage cannot be read", async () => {
    const fault = {
      verb: "open",
      when: 0,
      effect: "fail",
      call: "every",
      error: new StoreError("storage_unavailable", "The disk is gone."),
    } as const;
    await using server = await openByteServer(withFaults(createMemoryBackend(), [fault]));
    const response = await get(server, await publish(server.registry));
    expect([response.status, await response.json()]).toMatchObject([
      503,
      { code: "storage_unavailable" },
    ]);
  });

  it("stops reading once the client is gone", async () => {
    const left = Promise.withResolvers<void>();
    const memory = createMemoryBackend();
    const slow = reading(memory, async function* (asked, options) {
      yield* memory.open(asked, { range: { start: 0, end: 10 } });
      options?.signal?.addEventListener("abort", () => left.resolve());
      await left.promise;
    });
    await using server = await openByteServer(slow);
    const path = await publish(server.registry);
    const aborting = new AbortController();
    const headers = { range: "bytes=0-99" };
    const response = await fetch(server.url + path, { headers, signal: aborting.signal });
    expect(response.status).toBe(206);
    aborting.abort();
    await left.promise;
    await vi.waitFor(() => expect(server.answered.at(-1)).toMatchObject({ outcome: "gone" }));
    expect(server.failures).toEqual([]);
  });

  it("of what is not there is a 404 problem", async () => {
    await using server = await openByteServer();
    const path = await publish(server.registry);
    const missing = await get(server, `${path}x`);
    expect([missing.status, await missing.json()]).toMatchObject([404, { code: "file_not_found" }]);
    const nowhere = "/api/v1/packages/01900000-0000-7000-8000-000000000000/files/a";
    const unknown = await get(server, nowhere);
    expect([unknown.status, await unknown.json()]).toMatchObject([
      404,
      { code: "package_not_found" },
    ]);
  });
});
