import { type ContentAddress, StoreError } from "@store/identity";
import type { ObjectStat, ReadOptions, StagedStat, StorageBackend } from "@store/storage";
import {
  type ConformancePlace,
  conformanceCases,
  describeConformance,
  gathered,
  runConformanceCase,
} from "@store/storage/conformance";
import { createMemoryBackend } from "@store/storage/memory";
import { describe, expect, test } from "vitest";

type Verbs = Partial<Omit<StorageBackend, "kind" | "capabilities">>;

/** A backend of which some verbs are replaced. */
function broken(replace: (sound: StorageBackend) => Verbs): () => Promise<ConformancePlace> {
  return async () => {
    const sound = createMemoryBackend();
    const verbs = replace(sound);
    const backend = new Proxy(sound, {
      get(target, name) {
        const value: unknown = Reflect.get(verbs, name) ?? Reflect.get(target, name, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    return { backend, dispose: async () => {} };
  };
}

/** Staging of which some verbs are replaced. */
function brokenStaged(replace: (sound: StagedOf) => Partial<StagedOf>) {
  return broken((sound) => ({
    async stage(options) {
      const staged = await sound.stage(options);
      return {
        id: staged.id,
        get sizeBytes() {
          return staged.sizeBytes;
        },
        write: (chunk) => staged.write(chunk),
        sync: () => staged.sync(),
        read: (options) => staged.read(options),
        commit: (address) => staged.commit(address),
        abort: () => staged.abort(),
        ...replace(staged),
      };
    },
  }));
}

type StagedOf = Awaited<ReturnType<StorageBackend["stage"]>>;

async function* reversed(items: AsyncIterable<ObjectStat>): AsyncGenerator<ObjectStat> {
  yield* (await gathered(items)).toReversed();
}

async function* shortened(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) yield chunk.subarray(0, -1);
}

async function* none(): AsyncGenerator<StagedStat> {}

/** Backends that break one rule each, and a case that has to notice. */
const breakages: readonly [string, () => Promise<ConformancePlace>, string][] = [
  [
    "delivers a byte too few",
    broken((sound) => ({ open: (...call) => shortened(sound.open(...call)) })),
    "holds an object of several megabytes and an odd byte",
  ],
  [
    "ignores ranges",
    broken((sound) => ({ open: (address) => sound.open(address) })),
    "delivers exactly the range that is asked for",
  ],
  [
    "ignores the signal",
    broken((sound) => ({
      open: (address, { range }: ReadOptions = {}) =>
        sound.open(address, range === undefined ? {} : { range }),
    })),
    "stops a read when its signal says so",
  ],
  [
    "enumerates in another order",
    broken((sound) => ({ enumerate: (after) => reversed(sound.enumerate(after)) })),
    "enumerates every object once, in order of address, with its size",
  ],
  [
    "enumerates from the beginning whatever it is asked",
    broken((sound) => ({ enumerate: () => sound.enumerate() })),
    "goes on enumerating after any address, also one that is not there",
  ],
  [
    "throws where there is nothing to stat",
    broken((sound) => ({
      async stat(address: ContentAddress) {
        const stat = await sound.stat(address);
        if (stat === undefined) throw new StoreError("object_not_found", "Nothing there.");
        return stat;
      },
    })),
    "knows no object before one is committed",
  ],
  [
    "throws where there is nothing to remove",
    broken((sound) => ({
      async remove(address) {
        if ((await sound.stat(address)) === undefined) {
          throw new StoreError("object_not_found", "Nothing there.");
        }
        await sound.remove(address);
      },
    })),
    "removes an object once and for all, and takes absent as removed",
  ],
  [
    "removes nothing",
    broken(() => ({ remove: async () => {} })),
    "publishes the staged bytes under the address and returns a receipt",
  ],
  [
    "discards nothing on abort",
    brokenStaged(() => ({ abort: async () => {} })),
    "discards on abort, as often as it is asked, and writes no more",
  ],
  [
    "lists nothing that is staged",
    broken(() => ({ listStaged: none })),
    "lists what is staged, with its lease and size",
  ],
  [
    "takes any lease",
    broken((sound) => ({ stage: (options) => sound.stage({ ...options, lease: "any" }) })),
    "refuses a lease id that breaks its rule",
  ],
  [
    "makes more durable than was written",
    brokenStaged((sound) => ({ sync: async () => (await sound.sync()) + 1 })),
    "syncs up to what was written and never goes back",
  ],
  [
    "reads staged bytes back without their end",
    brokenStaged((sound) => ({ read: (options) => shortened(sound.read(options)) })),
    "reads staged bytes back from the first, in chunks of at most 1 MiB",
  ],
  [
    "ignores the signal of a read of staged bytes",
    brokenStaged((sound) => ({ read: () => sound.read() })),
    "gives a read of staged bytes up when its signal fires",
  ],
  [
    "keeps the caller's own chunk",
    brokenStaged((sound) => {
      const kept: Uint8Array[] = [];
      return {
        write: async (chunk) => void kept.push(chunk),
        async commit(address) {
          for (const chunk of kept) await sound.write(chunk);
          return sound.commit(address);
        },
      };
    }),
    "leaves a written chunk to its caller, who may reuse it",
  ],
  [
    "forgets to check the size of what stands there",
    brokenStaged((sound) => ({
      async commit(address) {
        try {
          return await sound.commit(address);
        } catch {
          return { address, sizeBytes: sound.sizeBytes, existed: true };
        }
      },
    })),
    "refuses other bytes of another size under an address that is taken",
  ],
  [
    "goes on after close",
    broken(() => ({ close: async () => {} })),
    "refuses every verb after close, and closes twice",
  ],
  [
    "is never healthy",
    broken(() => ({ health: async () => ({ healthy: false, reason: "gloom" }) })),
    "is healthy, and counts its space if it can",
  ],
];

const cases = Object.values(conformanceCases).flat();

async function failuresOf(open: () => Promise<ConformancePlace>): Promise<string[]> {
  const failures: string[] = [];
  for (const one of cases) {
    await runConformanceCase(one, open).catch(() => failures.push(one.name));
  }
  return failures;
}

describe("the conformance suite notices a backend that", () => {
  test.each(breakages)("%s", async (_, open, noticed) => {
    expect(await failuresOf(open)).toContain(noticed);
  });

  test("leaves something behind that is neither object nor staged", async () => {
    const open = async (): Promise<ConformancePlace> => ({
      backend: createMemoryBackend(),
      leftovers: async () => ["objects/tmp-1"],
      dispose: async () => {},
    });
    expect(await failuresOf(open)).toEqual(cases.map(({ name }) => name));
  });
});

describe("the conformance suite", () => {
  test("gives every case a name of its own", () => {
    expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
  });

  test("reports a skipped case with its reason, and refuses to skip what it does not have", () => {
    const skipped: string[] = [];
    const runner = {
      describe: (_: string, body: () => void): void => body(),
      test: Object.assign(() => {}, { skip: (name: string) => void skipped.push(name) }),
    };
    const open = async (): Promise<ConformancePlace> => ({
      backend: createMemoryBackend(),
      dispose: async () => {},
    });
    const name = "holds an object of no bytes";
    describeConformance(runner, { name: "one", open, skips: { [name]: "it is a full place" } });
    expect(skipped).toEqual([`${name} (skipped: it is a full place)`]);
    expect(() => {
      describeConformance(runner, { name: "one", open, skips: { "no such case": "why" } });
    }).toThrow("no such case");
  });

  test("frees the place of a case that fails", async () => {
    let disposed = false;
    const failing = {
      name: "fails",
      run: async () => {
        throw new Error("on purpose");
      },
    };
    const open = async (): Promise<ConformancePlace> => ({
      backend: createMemoryBackend(),
      dispose: async () => {
        disposed = true;
      },
    });
    await expect(runConformanceCase(failing, open)).rejects.toThrow("on purpose");
    expect(disposed).toBe(true);
  });
});
