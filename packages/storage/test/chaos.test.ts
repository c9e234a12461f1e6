import { setImmediate as nextTurn } from "node:timers/promises";
import { isStoreError } from "@store/identity";
import {
  ingestStream,
  removeObject,
  replicateObject,
  serveObject,
  type StorageBackend,
  verifyObject,
} from "@store/storage";
import { withCache } from "@store/storage/cache";
import { addressOf, gathered, joined, sampleBytes } from "@store/storage/conformance";
import { withDeadlines } from "@store/storage/deadline";
import { callVerbs, type Fault, withFaults } from "@store/storage/faults";
import { createMemoryBackend } from "@store/storage/memory";
import { mirrorBackends } from "@store/storage/mirror";
import { withRetries } from "@store/storage/retry";
import { account, rounds } from "@store/testing/prove";
import fc from "fast-check";
import { expect, test } from "vitest";
import { chunked } from "./byte-sources.ts";

const runs = rounds(3000);

const call = fc.oneof(fc.integer({ min: 1, max: 4 }), fc.constant("every" as const));
const faults: fc.Arbitrary<Fault[]> = fc.array(
  fc.oneof(
    fc.record({
      verb: fc.constantFrom(...callVerbs.filter((verb) => verb !== "close")),
      call,
      when: fc.constantFrom("before" as const, "after" as const),
      effect: fc.constantFrom("fail" as const, "fail" as const, "hang" as const),
    }),
    fc.record({
      verb: fc.constant("open" as const),
      call,
      when: fc.oneof(fc.integer({ min: 0, max: 6 }), fc.constant("end" as const)),
      effect: fc.constantFrom("fail" as const, "hang", "truncate", "corrupt"),
    }),
  ),
  { maxLength: 5 },
);

const content = fc.record({
  sizeBytes: fc.constantFrom(0, 1, 5000, 1_048_576, 1_048_577, 2_300_000),
  chunkBytes: fc.constantFrom(65_536, 999_999, 2_000_000),
});

interface Place {
  readonly memory: StorageBackend;
  readonly backend: StorageBackend;
  readonly release: () => void;
}

function place(list: readonly Fault[]): Place {
  const memory = createMemoryBackend();
  const faulty = withFaults(memory, list);
  const backend = withRetries(withDeadlines(faulty, { answerMs: 3, durableMs: 3 }), {
    attempts: 2,
    firstDelayMs: 1,
    longestDelayMs: 1,
  });
  return { memory, backend, release: () => faulty.release() };
}

/** What a call came to: a value, or a `StoreError`; anything else is a defect. */
async function attempt<T>(work: Promise<T>): Promise<{ value: T } | undefined> {
  try {
    return { value: await work };
  } catch (error) {
    if (isStoreError(error) && error.code !== "internal") return undefined;
    throw error;
  }
}

test(`keeps its promises through ${runs} runs with faults anywhere`, async () => {
  await fc.assert(
    fc.asyncProperty(content, faults, faults, faults, async (size, left, right, near) => {
      const bytes = sampleBytes(size.sizeBytes);
      const address = await addressOf(bytes);
      const places = [place(left), place(right), place(near)] as const;
      const [one, other, cache] = places;
      const mirror = mirrorBackends([one.backend, other.backend]);
      const backend = withCache(mirror, { cache: cache.backend, limitBytes: 2_000_000 });

      const stored = await attempt(
        ingestStream(backend, chunked(bytes, size.chunkBytes), {
          lease: "chaos",
          admit: async () => "write",
        }),
      );
      if (stored !== undefined) {
        // Acknowledged is durable, in every place.
        for (const { memory } of [one, other]) {
          expect((await verifyObject(memory, address)).status).toBe("ok");
        }
      }
      for (let round = 0; round < 2; round++) {
        const served = await attempt(serveObject(backend, address));
        const read = served && (await attempt(joined(served.value.body)));
        // What ended well is the object.
        if (read !== undefined) expect(Buffer.compare(read.value, bytes)).toBe(0);
      }
      const spare = createMemoryBackend();
      if (await attempt(replicateObject(backend, spare, address, { lease: "chaos" }))) {
        expect((await verifyObject(spare, address)).status).toBe("ok");
      }
      if (await attempt(removeObject(backend, address))) {
        for (const { memory } of [one, other]) expect(await memory.stat(address)).toBeUndefined();
      }

      for (const { release } of places) release();
      for (let turn = 0; turn < 30; turn++) await nextTurn();
      for (const { memory } of [...places, { memory: spare }]) {
        // Nothing is there that is not what its address says, and all that is staged can be swept.
        for (const stat of await gathered(memory.enumerate())) {
          expect((await verifyObject(memory, stat.address)).status).toBe("ok");
        }
        for (const { id } of await gathered(memory.listStaged())) await memory.discardStaged(id);
        expect(await gathered(memory.listStaged())).toEqual([]);
      }
    }),
    { numRuns: runs },
  );
  account("storage with faults anywhere", { runs });
}, 600_000);
