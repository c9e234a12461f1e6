import { setImmediate as nextTurn, setTimeout as pause } from "node:timers/promises";
import { type ContentAddress, StoreError } from "@store/identity";
import { ingestStream, type StorageBackend } from "@store/storage";
import { addressOf, gathered, joined, sampleBytes } from "@store/storage/conformance";
import { withDeadlines } from "@store/storage/deadline";
import { callVerbs, type Fault, streamVerbs, withFaults } from "@store/storage/faults";
import { createMemoryBackend } from "@store/storage/memory";
import { withRetries } from "@store/storage/retry";
import { withVerifiedReads } from "@store/storage/verify";
import fc from "fast-check";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { retryDelayMs } from "../src/lib/retries.ts";
import { chunked } from "./byte-sources.ts";

const bytes = sampleBytes(2_000_000);
const quick = { firstDelayMs: 1, longestDelayMs: 2 };
const corrupt = (when: number): Fault => ({ verb: "open", when, effect: "corrupt" });

let place: StorageBackend;
let address: ContentAddress;

beforeEach(async () => {
  place = createMemoryBackend();
  address = await put(place, bytes);
  // What memory lacks.
  vi.spyOn(place, "presign").mockResolvedValue("https://127.0.0.1/object");
  vi.spyOn(place, "restore").mockResolvedValue({ tier: "archive", restore: "requested" });
});

async function put(backend: StorageBackend, content: Uint8Array): Promise<ContentAddress> {
  const write = { lease: "test", admit: async () => "write" as const };
  return (await ingestStream(backend, chunked(content, 100_000), write)).address;
}

async function readsWhole(backend: StorageBackend): Promise<boolean> {
  return Buffer.from(await joined(backend.open(address))).equals(bytes);
}

/** One call of every verb, by name. */
function everyVerb(backend: StorageBackend): Record<string, () => Promise<unknown>> {
  const staged = async () => backend.stage({ lease: "test" });
  return {
    stage: staged,
    resume: async () => backend.resume((await staged()).id),
    write: async () => (await staged()).write(bytes),
    sync: async () => (await staged()).sync(),
    commit: async () => {
      const one = await staged();
      await one.write(bytes);
      return one.commit(address);
    },
    abort: async () => (await staged()).abort(),
    stat: async () => backend.stat(address),
    remove: async () => backend.remove(address),
    presign: async () => backend.presign(address),
    restore: async () => backend.restore(address, { days: 1 }),
    discardStaged: async () => backend.discardStaged("none"),
    close: async () => backend.close(),
    open: async () => joined(backend.open(address)),
    read: async () => {
      const one = await staged();
      await one.write(bytes);
      return joined(one.read());
    },
    enumerate: async () => gathered(backend.enumerate()),
    listStaged: async () => gathered(backend.listStaged()),
  };
}

const verbs = [...callVerbs, ...streamVerbs].filter((verb) => verb !== "health");

function faultOf(verb: (typeof verbs)[number], effect: "fail" | "hang", call?: "every"): Fault {
  const every = call === undefined ? {} : { call };
  for (const stream of streamVerbs) {
    if (verb === stream) return { verb: stream, when: 0, effect, ...every };
  }
  for (const one of callVerbs) {
    if (verb === one) return { verb: one, when: "before", effect, ...every };
  }
  throw new Error(`no verb ${verb}`);
}

describe("withDeadlines", () => {
  const deadlines = { answerMs: 20, durableMs: 20 };

  test.each(verbs)("gives up on %s when it hangs, naming it", async (verb) => {
    const faulty = withFaults(place, [faultOf(verb, "hang")]);
    const call = everyVerb(withDeadlines(faulty, deadlines))[verb]?.();
    await expect(call).rejects.toMatchObject({
      code: "storage_unavailable",
      message: expect.stringContaining(verb),
      context: { limit: 20 },
    });
  });

  test("reports a health check that hangs as not healthy", async () => {
    const faulty = withFaults(place, [{ verb: "health", when: "before", effect: "hang" }]);
    expect(await withDeadlines(faulty, deadlines).health()).toMatchObject({
      healthy: false,
      reason: expect.stringContaining("health"),
    });
  });

  test("counts the backend's time only, not that of a slow reader", async () => {
    const backend = withDeadlines(place, deadlines);
    let received = 0;
    for await (const { length } of backend.open(address)) {
      received += length;
      await pause(25);
    }
    expect(received).toBe(bytes.length);
  });

  test("cancels the read that it gives up on", async () => {
    let signal: AbortSignal | undefined;
    const silent: AsyncIterable<Uint8Array> = {
      [Symbol.asyncIterator]: () => ({ next: async () => new Promise<never>(() => {}) }),
    };
    vi.spyOn(place, "open").mockImplementation((_, options) => {
      signal = options?.signal;
      return silent;
    });
    const read = joined(withDeadlines(place, deadlines).open(address));
    await expect(read).rejects.toMatchObject({ code: "storage_unavailable" });
    expect(signal?.aborted).toBe(true);
  });

  test("discards what is staged too late, and what is written too late", async () => {
    for (const verb of ["stage", "write"] as const) {
      const faulty = withFaults(place, [{ verb, when: "before", effect: "hang" }]);
      const ingest = put(withDeadlines(faulty, deadlines), sampleBytes(10, 5));
      await expect(ingest).rejects.toMatchObject({ code: "storage_unavailable" });
      faulty.release();
      for (let turn = 0; turn < 20; turn++) await nextTurn();
      expect(await gathered(place.listStaged())).toEqual([]);
      expect((await gathered(place.enumerate())).length).toBe(1);
    }
  });

  test("does not begin a call whose time was up before its turn came", async () => {
    const faulty = withFaults(place, [{ verb: "sync", when: "before", effect: "hang" }]);
    const staged = await withDeadlines(faulty, deadlines).stage({ lease: "test" });
    await expect(staged.sync()).rejects.toMatchObject({ code: "storage_unavailable" });
    const late = await addressOf(new Uint8Array(0));
    await expect(staged.commit(late)).rejects.toMatchObject({ code: "storage_unavailable" });
    faulty.release();
    for (let turn = 0; turn < 20; turn++) await nextTurn();
    expect(await place.stat(late)).toBeUndefined();
  });

  test.each([0, -1, 1.5, Number.NaN, 2 ** 31])("refuses a deadline of %d ms", (answerMs) => {
    expect(() => withDeadlines(place, { answerMs })).toThrow(
      expect.objectContaining({ code: "invalid_argument" }),
    );
  });
});

describe("withRetries", () => {
  const retried = verbs.filter((verb) => !["write", "sync", "close"].includes(verb));

  test.each(retried)("tries %s again after storage_unavailable", async (verb) => {
    const faulty = withFaults(place, [faultOf(verb, "fail")]);
    await everyVerb(withRetries(faulty, quick))[verb]?.();
    expect(faulty.struck.length).toBe(1);
  });

  test.each(verbs)("gives %s up after its attempts", async (verb) => {
    const faulty = withFaults(place, [faultOf(verb, "fail", "every")]);
    const call = everyVerb(withRetries(faulty, { ...quick, attempts: 3 }))[verb]?.();
    await expect(call).rejects.toMatchObject({ code: "storage_unavailable" });
    expect(faulty.struck.length).toBe(retried.includes(verb) ? 3 : 1);
  });

  test.each(verbs)("does not try %s again after any other error", async (verb) => {
    const error = new StoreError("storage_full", "Full.");
    const faulty = withFaults(place, [{ ...faultOf(verb, "fail", "every"), error }]);
    await expect(everyVerb(withRetries(faulty, quick))[verb]?.()).rejects.toBe(error);
    expect(faulty.struck.length).toBe(1);
  });

  test("takes a commit whose answer was lost as done", async () => {
    const faulty = withFaults(place, [{ verb: "commit", when: "after", effect: "fail" }]);
    const stored = await put(withRetries(faulty, quick), sampleBytes(100, 3));
    expect(await place.stat(stored)).toMatchObject({ sizeBytes: 100 });
    expect(await gathered(place.listStaged())).toEqual([]);
  });

  test("goes on with a read where it broke off, as often as it moves forward", async () => {
    const breaks = [1, 2, 3, 4, 5].map((call): Fault => ({
      verb: "open",
      call,
      when: 1,
      effect: "fail",
    }));
    const faulty = withFaults(place, breaks);
    const open = vi.spyOn(place, "open");
    expect(await readsWhole(withRetries(faulty, { ...quick, attempts: 2 }))).toBe(true);
    expect(faulty.struck.length).toBe(5);
    const starts = open.mock.calls.map(([, options]) => options?.range?.start ?? 0);
    expect(starts).toEqual(starts.toSorted((one, other) => one - other));
    expect(new Set(starts).size).toBe(6);
  });

  test("goes on with a range where it broke off, to the same end", async () => {
    const faulty = withFaults(place, [{ verb: "open", when: 1, effect: "fail" }]);
    const range = { start: 1000, end: 900_000 };
    const part = Buffer.from(await joined(withRetries(faulty, quick).open(address, { range })));
    expect(part.equals(bytes.subarray(1000, 900_000))).toBe(true);
  });

  test("goes on reading staged bytes back where it broke off, as often as it moves forward", async () => {
    const breaks = [1, 2, 3].map((call): Fault => ({
      verb: "read",
      call,
      when: call * 2,
      effect: "fail",
    }));
    const faulty = withFaults(place, breaks);
    const staged = await withRetries(faulty, { ...quick, attempts: 2 }).stage({ lease: "test" });
    await staged.write(bytes);
    expect(Buffer.from(await joined(staged.read())).equals(bytes)).toBe(true);
    expect(faulty.struck.length).toBe(3);
  });

  test("says why staged bytes are gone that it tries to read again", async () => {
    const failed = new StoreError("storage_unavailable", "The sync failed.");
    const faulty = withFaults(place, [{ verb: "read", when: 0, effect: "fail", error: failed }]);
    const staged = await withRetries(faulty, quick).stage({ lease: "test" });
    await staged.write(bytes);
    await place.discardStaged(staged.id);
    await expect(joined(staged.read())).rejects.toBe(failed);
  });

  test("never joins parts that are not the object", async () => {
    const faulty = withFaults(place, [
      { verb: "open", call: 1, when: 2, effect: "fail" },
      { ...corrupt(0), call: 2 },
    ]);
    const backend = withRetries(faulty, quick);
    await expect(joined(backend.open(address))).rejects.toMatchObject({ code: "object_corrupt" });
    expect(faulty.struck.length).toBe(2);
  });

  test("goes on enumerating after the last address", async () => {
    for (let seed = 2; seed < 8; seed++) await put(place, sampleBytes(10, seed));
    const expected = await gathered(place.enumerate());
    const faulty = withFaults(place, [
      { verb: "enumerate", call: 1, when: 3, effect: "fail" },
      { verb: "enumerate", call: 2, when: 2, effect: "fail" },
    ]);
    expect(await gathered(withRetries(faulty, quick).enumerate())).toEqual(expected);
  });

  test("does not begin again a listing without an order that broke off", async () => {
    await place.stage({ lease: "one" });
    const faulty = withFaults(place, [{ verb: "listStaged", when: 1, effect: "fail" }]);
    await expect(gathered(withRetries(faulty, quick).listStaged())).rejects.toMatchObject({
      code: "storage_unavailable",
    });
  });

  test("tries again what hung, with the deadlines inside", async () => {
    const faulty = withFaults(place, [{ verb: "open", when: 2, effect: "hang" }]);
    const backend = withRetries(withDeadlines(faulty, { answerMs: 20 }), quick);
    expect(await readsWhole(backend)).toBe(true);
  });

  test("stops waiting when the read's signal fires", async () => {
    const controller = new AbortController();
    const faulty = withFaults(place, [{ verb: "open", call: "every", when: 0, effect: "fail" }]);
    const backend = withRetries(faulty, { firstDelayMs: 2 ** 30, longestDelayMs: 2 ** 30 });
    const read = joined(backend.open(address, { signal: controller.signal }));
    await vi.waitUntil(() => faulty.struck.length === 1);
    controller.abort();
    await expect(read).rejects.toMatchObject({ code: "aborted" });
  });

  test("pauses at random, below a bound that doubles up to the longest", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 99 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (n, random) => {
          const delayMs = retryDelayMs(n, 100, 5000, random);
          expect(delayMs).toBeGreaterThanOrEqual(0);
          expect(delayMs).toBeLessThanOrEqual(Math.min(5000, 100 * 2 ** (n - 1)));
        },
      ),
    );
    expect(retryDelayMs(3, 100, 5000, 0.5)).toBe(200);
  });

  test.each([0, 101, 1.5, Number.NaN])("refuses %d attempts", (attempts) => {
    expect(() => withRetries(place, { attempts })).toThrow(
      expect.objectContaining({ code: "invalid_argument" }),
    );
  });
});

describe("withVerifiedReads", () => {
  test.each([0, 1, 7])(
    "cuts a whole read of an object with a flipped bit in chunk %i",
    async (at) => {
      const backend = withVerifiedReads(withFaults(place, [corrupt(at)]));
      let received = 0;
      const read = async (): Promise<void> => {
        for await (const { length } of backend.open(address)) received += length;
      };
      await expect(read()).rejects.toMatchObject({ code: "object_corrupt" });
      expect(received).toBeLessThan(bytes.length);
    },
  );

  test("cuts a whole read that ends early", async () => {
    const faulty = withFaults(place, [{ verb: "open", when: 2, effect: "truncate" }]);
    await expect(joined(withVerifiedReads(faulty).open(address))).rejects.toMatchObject({
      code: "object_corrupt",
    });
  });

  test("lets a range pass, which no digest covers", async () => {
    const backend = withVerifiedReads(withFaults(place, [corrupt(0)]));
    const part = await joined(backend.open(address, { range: { start: 0, end: 10 } }));
    expect(part.length).toBe(10);
  });
});
