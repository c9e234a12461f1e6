import { addressOf, describeConformance } from "@store/storage/conformance";
import { createMemoryBackend } from "@store/storage/memory";
import { describe, expect, test } from "vitest";

const ownMemory = "memory belongs to one process";

describeConformance(
  { describe, test },
  {
    name: "memory",
    open: async () => ({ backend: createMemoryBackend(), dispose: async () => {} }),
    skips: {
      "resumes in another process what the first one synced": ownMemory,
      "reads back in another process what the first one synced": ownMemory,
      "shows another process what was committed, and keeps it after close": ownMemory,
      "lists and discards what another process staged": ownMemory,
    },
  },
);

describe("memory", () => {
  test("counts what it holds, staged and committed, against its capacity", async () => {
    const backend = createMemoryBackend({ capacityBytes: 1000 });
    const freeBytes = async (): Promise<number | undefined> => (await backend.health()).freeBytes;
    const staged = await backend.stage({ lease: "test" });
    await staged.write(new Uint8Array(400));
    await staged.sync();
    await staged.write(new Uint8Array(500));
    expect(await freeBytes()).toBe(100);
    await expect(staged.write(new Uint8Array(101))).rejects.toMatchObject({
      code: "storage_full",
      context: { limit: 1000 },
    });
    await expect(staged.sync()).rejects.toMatchObject({ code: "staged_not_found" });
    const resumed = await backend.resume(staged.id);
    expect(resumed.sizeBytes).toBe(400);
    expect(await freeBytes()).toBe(600);
    const address = await addressOf(new Uint8Array(400));
    await resumed.commit(address);
    expect(await freeBytes()).toBe(600);
    await backend.remove(address);
    expect(await freeBytes()).toBe(1000);
  });
});
