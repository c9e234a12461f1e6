import type { ContentAddress } from "@store/identity";
import { ingestStream, type StorageBackend, verifyObject } from "@store/storage";
import { addressOf, gathered, joined, sampleBytes } from "@store/storage/conformance";
import { type Fault, withFaults } from "@store/storage/faults";
import { createMemoryBackend } from "@store/storage/memory";
import { mirrorBackends } from "@store/storage/mirror";
import { beforeEach, describe, expect, test } from "vitest";
import { chunked } from "./byte-sources.ts";

const bytes = sampleBytes(2_000_000);

let left: StorageBackend;
let right: StorageBackend;

beforeEach(() => {
  left = createMemoryBackend();
  right = createMemoryBackend();
});

async function put(backend: StorageBackend, content = bytes): Promise<ContentAddress> {
  const write = { lease: "test", admit: async () => "write" as const };
  return (await ingestStream(backend, chunked(content, 100_000), write)).address;
}

async function read(backend: StorageBackend, address: ContentAddress): Promise<boolean> {
  return Buffer.from(await joined(backend.open(address))).equals(bytes);
}

/** A mirror whose left place has faults. */
function lame(...faults: Fault[]): StorageBackend {
  return mirrorBackends([withFaults(left, faults), right]);
}

const fails: Fault = { verb: "open", when: 0, effect: "fail" };

describe("a mirror reads staged bytes back", () => {
  test("from the next place where one breaks off", async () => {
    const mirror = lame({ verb: "read", when: 2, effect: "fail" });
    const staged = await mirror.stage({ lease: "test" });
    await staged.write(bytes);
    expect(Buffer.from(await joined(staged.read())).equals(bytes)).toBe(true);
    await staged.commit(await addressOf(bytes));
    for (const place of [left, right]) {
      expect(await verifyObject(place, await addressOf(bytes))).toMatchObject({ status: "ok" });
    }
  });

  test("as far as every place has them", async () => {
    const mirror = mirrorBackends([left, right]);
    const staged = await mirror.stage({ lease: "test" });
    await staged.write(bytes.subarray(0, 1000));
    await staged.sync();
    // One place keeps more than another, as after a crash.
    const ahead = await gathered(left.listStaged());
    const one = await left.resume(ahead[0]?.id ?? "");
    await one.write(bytes.subarray(1000, 1500));
    await one.sync();
    const resumed = await mirror.resume(staged.id);
    expect(resumed.sizeBytes).toBe(1000);
    expect(Buffer.from(await joined(resumed.read())).equals(bytes.subarray(0, 1000))).toBe(true);
    await resumed.abort();
  });

  test("and fails with the last place", async () => {
    const fault: Fault = { verb: "read", when: 0, effect: "fail" };
    const mirror = mirrorBackends([withFaults(left, [fault]), withFaults(right, [fault])]);
    const staged = await mirror.stage({ lease: "test" });
    await staged.write(bytes);
    await expect(joined(staged.read())).rejects.toMatchObject({ code: "storage_unavailable" });
  });
});

describe("a mirror writes", () => {
  test("to every place, and removes from every place", async () => {
    const mirror = mirrorBackends([left, right]);
    const address = await put(mirror);
    for (const place of [left, right]) {
      expect(await verifyObject(place, address)).toMatchObject({ status: "ok" });
    }
    await mirror.remove(address);
    for (const place of [left, right]) expect(await place.stat(address)).toBeUndefined();
  });

  test.each(["stage", "write", "commit"] as const)(
    "nothing that it acknowledges if one place fails at %s, and can be asked again",
    async (verb) => {
      const mirror = lame({ verb, when: "before", effect: "fail" });
      await expect(put(mirror)).rejects.toMatchObject({ code: "storage_unavailable" });
      expect(await gathered(mirror.listStaged())).toEqual([]);
      const address = await put(mirror);
      for (const place of [left, right]) {
        expect(await verifyObject(place, address)).toMatchObject({ status: "ok" });
      }
    },
  );

  test("what one place has already, and says that it did not exist everywhere", async () => {
    const address = await put(left);
    const staged = await mirrorBackends([left, right]).stage({ lease: "test" });
    await staged.write(bytes);
    expect(await staged.commit(address)).toMatchObject({ existed: false });
    expect(await read(right, address)).toBe(true);
  });

  test("on after a resume in which one place had kept more than the other", async () => {
    const mirror = lame({ verb: "sync", when: "before", effect: "fail" });
    const staged = await mirror.stage({ lease: "test" });
    await staged.write(bytes.subarray(0, 700_000));
    await expect(staged.sync()).rejects.toMatchObject({ code: "storage_unavailable" });
    const resumed = await mirror.resume(staged.id);
    expect(resumed.sizeBytes).toBe(0);
    for (let offset = 0; offset < bytes.length; offset += 300_000) {
      await resumed.write(bytes.subarray(offset, offset + 300_000));
    }
    const address = await addressOf(bytes);
    await resumed.commit(address);
    expect([await read(left, address), await read(right, address)]).toEqual([true, true]);
  });
});

describe("a mirror reads", () => {
  test("from the next place what the first lacks", async () => {
    const address = await put(right);
    const mirror = mirrorBackends([left, right]);
    expect(await read(mirror, address)).toBe(true);
    expect(await mirror.stat(address)).toEqual({ address, sizeBytes: bytes.length });
    expect((await gathered(mirror.enumerate())).length).toBe(1);
  });

  test.each([0, 1, 5])(
    "on from the next place where the first fails after %i chunks",
    async (at) => {
      const address = await put(mirrorBackends([left, right]));
      expect(await read(lame({ verb: "open", when: at, effect: "fail" }), address)).toBe(true);
    },
  );

  test("from the next place what is corrupt in the first, if it is small", async () => {
    const small = sampleBytes(1000, 4);
    const address = await put(mirrorBackends([left, right]), small);
    const mirror = lame({ verb: "open", when: 0, effect: "corrupt" });
    expect(Buffer.from(await joined(mirror.open(address))).equals(small)).toBe(true);
  });

  test("nothing to its end of what is corrupt and was delivered in part", async () => {
    const address = await put(mirrorBackends([left, right]));
    const mirror = lame({ verb: "open", when: 0, effect: "corrupt" });
    await expect(joined(mirror.open(address))).rejects.toMatchObject({ code: "object_corrupt" });
  });

  test("nothing that no place has, and says unavailable where one could not tell", async () => {
    const absent = await addressOf(sampleBytes(3));
    await expect(joined(mirrorBackends([left, right]).open(absent))).rejects.toMatchObject({
      code: "object_not_found",
    });
    await expect(joined(lame(fails).open(absent))).rejects.toMatchObject({
      code: "storage_unavailable",
    });
    const deaf = lame({ verb: "stat", when: "before", effect: "fail" });
    await expect(deaf.stat(absent)).rejects.toMatchObject({ code: "storage_unavailable" });
    expect(await deaf.stat(absent)).toBeUndefined();
  });

  test("no enumeration with gaps where a place fails", async () => {
    await put(left);
    const mirror = lame({ verb: "enumerate", when: 0, effect: "fail" });
    await expect(gathered(mirror.enumerate())).rejects.toMatchObject({
      code: "storage_unavailable",
    });
  });
});

describe("a mirror", () => {
  test("lists the staged parts of a dead process, each to be discarded", async () => {
    const mirror = mirrorBackends([left, right]);
    await mirror.stage({ lease: "dead" });
    const listed = await gathered(mirrorBackends([left, right]).listStaged());
    expect(listed.map(({ lease }) => lease)).toEqual(["dead", "dead"]);
    for (const { id } of listed) await mirror.discardStaged(id);
    expect(await gathered(mirror.listStaged())).toEqual([]);
  });

  test("is healthy only if every place is, and names the one that is not", async () => {
    expect(await mirrorBackends([left, right]).health()).toMatchObject({ healthy: true });
    const mirror = lame({ verb: "health", when: "before", effect: "fail" });
    expect(await mirror.health()).toMatchObject({
      healthy: false,
      reason: expect.stringContaining("memory"),
    });
  });

  test("can be made of a single place, and of none it cannot", async () => {
    expect(await read(mirrorBackends([left]), await put(mirrorBackends([left])))).toBe(true);
    expect(() => mirrorBackends([])).toThrow(expect.objectContaining({ code: "invalid_argument" }));
  });
});
