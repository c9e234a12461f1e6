import { StoreError } from "@store/identity";
import { withFaults, type Fault } from "@store/storage/faults";
import { createMemoryBackend } from "@store/storage/memory";
import { describe, expect, test, vi } from "vitest";

import { codeOf, dialects, leaseKinds, openTestInstance, type TestInstance } from "./instance.ts";
import { addressOf, chunked, hanging, newPackage, patterned, sendRest } from "./uploads.ts";

const content = patterned(3_000_000);
const part = content.subarray(0, 1_234_567);

describe.each(dialects)("what arrived of an upload is kept, with %s, where", (dialect) => {
  test("the source fails, and its error is thrown as it is", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry } = instance;
    const { id } = await registry.createUpload({ sizeBytes: content.length });
    const lost = new Error("connection lost");
    await expect(registry.appendUpload(id, 0, chunked(part, lost))).rejects.toBe(lost);
    const upload = await registry.getUpload(id);
    expect(upload.offsetBytes).toBe(part.length);
    const other = await instance.again();
    const complete = await sendRest(other, upload, content);
    expect(complete.address).toBe(await addressOf(content));
  });

  test("the signal gives the append up", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry } = instance;
    const { id } = await registry.createUpload({ sizeBytes: content.length });
    const { source, given } = hanging(part);
    const controller = new AbortController();
    const append = registry.appendUpload(id, 0, source, { signal: controller.signal });
    const outcome = codeOf(append);
    await given;
    controller.abort();
    expect(await outcome).toBe("aborted");
    const upload = await registry.getUpload(id);
    expect(upload.offsetBytes).toBe(part.length);
    const before = codeOf(registry.appendUpload(id, part.length, chunked(part), controller));
    expect(await before).toBe("aborted");
    expect(await sendRest(registry, upload, content)).toMatchObject({ status: "complete" });
  });

  test("the registry closes", async () => {
    await using instance = await openTestInstance(dialect);
    const other = await instance.again();
    const { id } = await other.createUpload({ sizeBytes: content.length });
    const { source, given } = hanging(part);
    const outcome = codeOf(other.appendUpload(id, 0, source));
    await given;
    await other.close();
    expect(await outcome).toBe("closed");
    const upload = await instance.registry.getUpload(id);
    expect(upload.offsetBytes).toBe(part.length);
    const complete = await sendRest(instance.registry, upload, content);
    expect(complete.address).toBe(await addressOf(content));
  });

  test("the size is not known, and the process stops before it has counted anything", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry, database } = instance;
    const { id } = await registry.createUpload();
    await registry.appendUpload(id, 0, chunked(part));
    // As after a crash between the sync and the record.
    const { uploadSessions } = database.tables;
    await database.write(async ({ sql }) => sql.update(uploadSessions).set({ offsetBytes: 7 }));
    expect(await registry.getUpload(id)).toMatchObject({ offsetBytes: 7 });
    const stale = registry.appendUpload(id, 7, chunked(content.subarray(7)));
    await expect(stale).rejects.toMatchObject({
      code: "upload_conflict",
      context: { actual: part.length },
    });
    expect(await registry.getUpload(id)).toMatchObject({ offsetBytes: part.length });
    await database.write(async ({ sql }) => sql.update(uploadSessions).set({ offsetBytes: 7 }));
    const settled = await registry.getUpload(id, { settled: true });
    expect(settled.offsetBytes).toBe(part.length);
  });
});

const storageFaults: Fault[] = [
  ...(["write", "sync", "stage", "resume"] as const).flatMap((verb) => [
    { verb, when: "before", effect: "fail" } as const,
    { verb, when: "after", effect: "fail" } as const,
  ]),
  { verb: "commit", when: "before", effect: "fail" },
  { verb: "commit", when: "after", effect: "fail" },
  { verb: "read", when: 0, effect: "fail" },
  { verb: "read", when: 2, effect: "fail" },
  { verb: "read", when: 1, effect: "truncate" },
];

describe("an upload arrives whole whatever the storage does once, where", () => {
  test.each(storageFaults.map((fault) => [`${fault.verb}, ${fault.when}`, fault] as const))(
    "it strikes at %s",
    async (_, fault) => {
      const place = createMemoryBackend();
      const primary = withFaults(place, [fault]);
      await using instance = await openTestInstance("sqlite", { backends: { primary } });
      await sendThroughFailures(instance, content, async () => {});
      expect(primary.struck).toHaveLength(1);
      expect(await Array.fromAsync(place.enumerate())).toHaveLength(1);
      await expectNothingLeft(instance);
    },
  );
});

test("a commit whose answer was lost is found, and nothing has to be sent again", async () => {
  const place = createMemoryBackend();
  const primary = withFaults(place, [{ verb: "commit", when: "after", effect: "fail" }]);
  await using instance = await openTestInstance("sqlite", { backends: { primary } });
  const { id } = await instance.registry.createUpload({ sizeBytes: content.length });
  const lost = instance.registry.appendUpload(id, 0, chunked(content));
  expect(await codeOf(lost)).toBe("storage_unavailable");
  const other = await instance.again();
  const nothing = chunked(new Uint8Array(0));
  expect(await other.appendUpload(id, content.length, nothing)).toMatchObject({
    status: "complete",
    address: await addressOf(content),
  });
});

describe.each(dialects)(
  "an upload arrives whole where a transaction fails, with %s:",
  (dialect) => {
    test.each(["before", "after"] as const)("each of them once, %s it took place", async (when) => {
      await using instance = await openTestInstance(dialect);
      const { database } = instance;
      const write = database.write.bind(database);
      const spied = vi.spyOn(database, "write");
      let calls = Infinity;
      for (let failing = 1; calls >= failing; failing += 1) {
        const bytes = patterned(1_300_000, failing);
        const begin = async (): Promise<void> => {
          calls = 0;
          spied.mockImplementation(async (command) => {
            calls += 1;
            if (calls !== failing) return write(command);
            if (when === "after") await write(command);
            throw new StoreError("database_unavailable", "A failure was injected.");
          });
        };
        await sendThroughFailures(instance, bytes, begin);
        spied.mockImplementation(write);
      }
      expect(calls).toBeGreaterThan(10);
      await expectNothingLeft(instance);
    });
  },
);

/** Sends an upload in three pieces from two processes, each as often as it takes. */
async function sendThroughFailures(
  instance: TestInstance,
  bytes: Uint8Array,
  begin: () => Promise<void>,
): Promise<void> {
  const { registry } = instance;
  const { id } = await registry.createUpload({
    sizeBytes: bytes.length,
    expect: { address: await addressOf(bytes) },
  });
  const other = await instance.again();
  await begin();
  let failures = 0;
  const again = async <T>(call: () => Promise<T>): Promise<T> => {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof StoreError) || failures > 2) throw error;
      failures += 1;
      return again(call);
    }
  };
  for (const [sender, end] of [
    [registry, 0.4 * bytes.length],
    [other, 0.8 * bytes.length],
    [registry, bytes.length],
  ] as const) {
    await again(async () => {
      const upload = await sender.getUpload(id, { settled: true });
      if (upload.offsetBytes >= end) return upload;
      return sendRest(sender, upload, bytes.subarray(0, end));
    });
  }
  const complete = await again(() => registry.getUpload(id, { settled: true }));
  expect(complete).toMatchObject({ status: "complete", address: await addressOf(bytes) });
  const packageId = await again(() => newPackage(registry, `1.${bytes[0]}.${failures}-${id}`));
  await again(() => registry.addFile(packageId, "a", { upload: id }, { replace: true }));
  await again(() => registry.cancelUpload(id));
}

async function expectNothingLeft({ registry, database, storage, advance }: TestInstance) {
  advance(48 * 60 * 60 * 1000);
  await registry.sweep();
  expect(await Array.fromAsync(storage.listStaged())).toEqual([]);
  expect(await leaseKinds(database)).toEqual([]);
  const rows = await database.reader.select().from(database.tables.uploadSessions);
  expect(rows).toEqual([]);
}
