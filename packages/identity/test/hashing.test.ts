import * as fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import {
  createDualHasher,
  createHasher,
  digestAlgorithms,
  digestBytes,
  hashEngine,
  loadDualHashing,
} from "../src/index.ts";
import type { EngineName } from "../src/index.ts";
import { refusalOf } from "./refusal.ts";
import blake3Vectors from "../vectors/blake3.json" with { type: "json" };
import sha256Vectors from "../vectors/sha256.json" with { type: "json" };

/** Every engine of every algorithm; those that lack the algorithm are left out below. */
const implementations = [
  { algorithm: "blake3", engine: "native" },
  { algorithm: "blake3", engine: "wasm" },
  { algorithm: "sha256", engine: "node" },
  { algorithm: "sha256", engine: "wasm" },
] as const;

/** The two ways of making both digests that share no engine. */
const fast: readonly EngineName[] = ["native", "node"];
const portable: readonly EngineName[] = ["wasm"];

const cases = {
  blake3: blake3Vectors.cases.map(({ length, digest }) => ({
    input: Uint8Array.from({ length }, (_, index) => index % 251),
    digest,
  })),
  sha256: sha256Vectors.cases.map(({ text, repeat, digest }) => ({
    input: new TextEncoder().encode(text.repeat(repeat)),
    digest,
  })),
};

describe.each(implementations)("$algorithm by the $engine engine", ({ algorithm, engine }) => {
  test("gives the digests of the published vectors, whole and in pieces", async () => {
    for (const { input, digest } of cases[algorithm]) {
      for (const pieceLength of [Math.max(input.length, 1), 1023, 64]) {
        const hasher = await createHasher(algorithm, { engines: [engine] });
        for (const piece of pieces(input, pieceLength)) hasher.update(piece);
        expect(hasher.digest().toString()).toBe(`${algorithm}:${digest}`);
      }
    }
  });

  test("is spent after its digest", async () => {
    const hasher = await createHasher(algorithm, { engines: [engine] });
    hasher.digest();
    expect(refusalOf(() => hasher.update(new Uint8Array(1))).code).toBe("invalid_argument");
    expect(refusalOf(() => hasher.digest()).message).toContain("spent");
  });
});

describe("all engines", () => {
  test("give equal digests of any bytes in any pieces, also when their work is interleaved", async () => {
    const chunks = fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 6 });
    const kinds = await Promise.all(
      [fast, portable].map((engines) => loadDualHashing({ engines })),
    );
    fc.assert(
      fc.property(chunks, chunks, fc.func(fc.boolean()), (first, second, firstIsNext) => {
        const results = kinds.map((hashing) => {
          const streams = [first, second].map((left) => ({
            left: [...left],
            hasher: hashing.createHasher(),
          }));
          for (let turn = 0; streams.some(({ left }) => left.length > 0); turn += 1) {
            const stream = streams[firstIsNext(turn) ? 0 : 1];
            const other = streams[firstIsNext(turn) ? 1 : 0];
            const chosen = stream?.left.length === 0 ? other : stream;
            const chunk = chosen?.left.shift();
            if (chunk !== undefined) chosen?.hasher.update(chunk);
          }
          return streams.map(({ hasher }) => hasher.digest());
        });
        expect(results[1]).toEqual(results[0]);
        const whole = kinds.map((hashing) => [
          hashing.digestBytes(Buffer.concat(first)),
          hashing.digestBytes(Buffer.concat(second)),
        ]);
        expect(whole).toEqual(results);
      }),
    );
  });

  test("agree on bytes that are larger than any buffer of theirs", async () => {
    const bytes = Uint8Array.from({ length: 3_000_001 }, (_, index) => (index * index) % 253);
    const [one, other] = await Promise.all(
      [fast, portable].map(async (engines) =>
        (await loadDualHashing({ engines })).digestBytes(bytes),
      ),
    );
    expect(other).toEqual(one);
    expect(one?.sizeBytes).toBe(3_000_001);
  });

  test("read a view of a larger buffer, shared or not, within its bounds", async () => {
    for (const buffer of [new ArrayBuffer(300), new SharedArrayBuffer(300)]) {
      const all = new Uint8Array(buffer).map((_, index) => index);
      new Uint8Array(buffer).set(all);
      const view = new Uint8Array(buffer, 100, 50);
      const expected = await digestBytes(all.slice(100, 150));
      for (const engines of [fast, portable]) {
        const hashing = await loadDualHashing({ engines });
        const hasher = hashing.createHasher();
        hasher.update(view);
        expect(hasher.digest()).toEqual(expected);
        expect(hashing.digestBytes(view)).toEqual(expected);
      }
    }
  });

  test("are not confused by hashers that were abandoned half-way", async () => {
    const hashing = await loadDualHashing({ engines: portable });
    const expected = hashing.digestBytes(new Uint8Array(10));
    for (let round = 0; round < 100; round += 1) {
      hashing.createHasher().update(new Uint8Array(round * 100));
      expect(hashing.digestBytes(new Uint8Array(10))).toEqual(expected);
    }
  });
});

describe("the choice of an engine", () => {
  test("takes the fastest that is present", async () => {
    expect(await hashEngine("blake3")).toBe("native");
    expect(await hashEngine("sha256")).toBe("node");
  });

  test("follows the order that the caller gives", async () => {
    expect(await hashEngine("sha256", { engines: ["native", "wasm", "node"] })).toBe("wasm");
  });

  test("falls back to WebAssembly where the addon cannot be loaded", async () => {
    vi.resetModules();
    vi.doMock("@napi-rs/blake-hash", () => {
      throw new Error("no addon for this platform");
    });
    const identity = await import("../src/index.ts");
    expect(await identity.hashEngine("blake3")).toBe("wasm");
    expect(String((await identity.digestBytes(new Uint8Array())).primary)).toBe(
      `blake3:${blake3Vectors.cases[0]?.digest}`,
    );
    vi.doUnmock("@napi-rs/blake-hash");
    vi.resetModules();
  });

  test("is refused where nothing fits, naming what was asked for", async () => {
    await expect(createHasher("sha256", { engines: ["native"] })).rejects.toMatchObject({
      code: "unsupported",
      message: expect.stringContaining("sha256"),
    });
  });

  test("is refused for an algorithm that is not registered", async () => {
    const created: unknown = Reflect.apply(createHasher, undefined, ["md5"]);
    await expect(created).rejects.toMatchObject({ code: "invalid_digest" });
  });

  test("exists for every registered algorithm", async () => {
    for (const algorithm of digestAlgorithms) {
      const hasher = await createHasher(algorithm, { engines: ["wasm"] });
      expect(hasher.digest()).toEqual((await createHasher(algorithm)).digest());
    }
  });
});

describe("a dual hasher", () => {
  test("counts the bytes and makes both digests", async () => {
    const hasher = await createDualHasher();
    hasher.update(new TextEncoder().encode("ab"));
    hasher.update(new Uint8Array());
    hasher.update(new TextEncoder().encode("c"));
    const { primary, sha256, sizeBytes } = hasher.digest();
    expect(primary.algorithm).toBe("blake3");
    expect(sha256.hex).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    expect(sizeBytes).toBe(3);
    expect(refusalOf(() => hasher.digest()).code).toBe("invalid_argument");
  });

  test("refuses what is not bytes, rather than guess an encoding", async () => {
    const hashing = await loadDualHashing();
    const hasher = hashing.createHasher();
    const values: unknown[] = ["abc", [1, 2], new ArrayBuffer(3), new Uint16Array(2), null];
    for (const value of values) {
      // The compiler would refuse what a caller without one may well pass.
      const bytes = value as Uint8Array;
      expect(refusalOf(() => hasher.update(bytes)).code).toBe("invalid_argument");
      expect(refusalOf(() => hashing.digestBytes(bytes)).code).toBe("invalid_argument");
    }
    expect(hasher.digest().sizeBytes).toBe(0);
  });
});

function* pieces(bytes: Uint8Array, length: number): Generator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += length) {
    yield bytes.subarray(start, start + length);
  }
}
