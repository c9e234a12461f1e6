import { engines } from "#engines";
import { algorithmDefinition, isDigestAlgorithm } from "./algorithms.ts";
import type { DigestAlgorithm } from "./algorithms.ts";
import { Digest } from "./digest.ts";
import type { EngineName, HashFunction, HashState } from "./engines/engine.ts";
import { StoreError } from "./error.ts";
import { quote } from "./quote.ts";

/** The digests of one sequence of bytes, made in one pass. */
export interface DualDigest {
  /** BLAKE3-256: what the content address is made of. */
  readonly primary: Digest;
  readonly sha256: Digest;
  readonly sizeBytes: number;
}

/** Makes one digest. After `digest` it is spent, and every call throws `invalid_argument`. */
export interface Hasher {
  update(chunk: Uint8Array): void;
  digest(): Digest;
}

/** Makes both digests. After `digest` it is spent, and every call throws `invalid_argument`. */
export interface DualHasher {
  update(chunk: Uint8Array): void;
  digest(): DualDigest;
}

/** Both algorithms loaded: from here on nothing needs to be awaited. */
export interface DualHashing {
  createHasher(): DualHasher;
  digestBytes(bytes: Uint8Array): DualDigest;
}

/** Which engines may be used, the preferred first; without it, all, the fastest first. */
export interface EngineOptions {
  readonly engines?: readonly EngineName[];
}

/** An engine that was found and the algorithm as it implements it. */
interface LoadedEngine {
  readonly name: EngineName;
  readonly hashFunction: HashFunction;
}

/** @throws {StoreError} `invalid_digest` for an unknown algorithm, `unsupported` for no engine. */
export async function createHasher(
  algorithm: DigestAlgorithm,
  options: EngineOptions = {},
): Promise<Hasher> {
  const { hashFunction } = await loadFastest(algorithm, options);
  return new SingleHasher(algorithm, hashFunction);
}

/** The engine that {@link createHasher} uses for an algorithm, for diagnostics. */
export async function hashEngine(
  algorithm: DigestAlgorithm,
  options: EngineOptions = {},
): Promise<EngineName> {
  return (await loadFastest(algorithm, options)).name;
}

let defaultDualHashing: Promise<DualHashing> | undefined;

/**
 * Loads the fastest engine present for both algorithms, once, and gives synchronous factories
 * for hot paths.
 */
export function loadDualHashing(options: EngineOptions = {}): Promise<DualHashing> {
  if (options.engines !== undefined) return dualHashing(options);
  defaultDualHashing ??= dualHashing(options).catch((error: unknown) => {
    defaultDualHashing = undefined;
    throw error;
  });
  return defaultDualHashing;
}

/** A {@link DualHasher} of the fastest engine present. */
export async function createDualHasher(): Promise<DualHasher> {
  return (await loadDualHashing()).createHasher();
}

/** Both digests of bytes that are in memory. */
export async function digestBytes(bytes: Uint8Array): Promise<DualDigest> {
  return (await loadDualHashing()).digestBytes(bytes);
}

async function dualHashing(options: EngineOptions): Promise<DualHashing> {
  const [primary, sha256] = await Promise.all([
    loadFastest("blake3", options),
    loadFastest("sha256", options),
  ]);
  return {
    createHasher: () => new TwoStateHasher(primary.hashFunction, sha256.hashFunction),
    digestBytes(bytes) {
      assertBytes(bytes);
      return {
        primary: Digest.fromHex("blake3", primary.hashFunction.digestBytes(bytes)),
        sha256: Digest.fromHex("sha256", sha256.hashFunction.digestBytes(bytes)),
        sizeBytes: bytes.length,
      };
    },
  };
}

const loaded = new Map<string, Promise<HashFunction | undefined>>();

async function loadFastest(
  algorithm: DigestAlgorithm,
  options: EngineOptions,
): Promise<LoadedEngine> {
  if (!isDigestAlgorithm(algorithm)) {
    throw new StoreError("invalid_digest", `The algorithm ${quote(algorithm)} is unknown.`);
  }
  const names = options.engines ?? engines.map(({ name }) => name);
  let cause: unknown;
  for (const name of names) {
    const engine = engines.find((candidate) => candidate.name === name);
    if (engine === undefined) continue;
    const key = `${name} ${algorithm}`;
    const loading = loaded.get(key) ?? engine.load(algorithmDefinition(algorithm));
    loaded.set(key, loading);
    try {
      const hashFunction = await loading;
      if (hashFunction !== undefined) return { name, hashFunction };
    } catch (error) {
      // A page may forbid WebAssembly now and be asked again later.
      loaded.delete(key);
      cause = error;
    }
  }
  throw new StoreError(
    "unsupported",
    `No engine for ${algorithm} could be loaded among ${names.join(", ")}; allow another engine, ` +
      "or WebAssembly where the page forbids it.",
    { cause, context: { expected: algorithm, actual: names.join(", ") } },
  );
}

class SingleHasher implements Hasher {
  readonly #algorithm: DigestAlgorithm;
  #state: HashState | undefined;

  constructor(algorithm: DigestAlgorithm, hashFunction: HashFunction) {
    this.#algorithm = algorithm;
    this.#state = hashFunction.create();
  }

  update(chunk: Uint8Array): void {
    assertBytes(chunk);
    if (this.#state === undefined) throw spent();
    this.#state.update(chunk);
  }

  digest(): Digest {
    if (this.#state === undefined) throw spent();
    const hex = this.#state.digest();
    this.#state = undefined;
    return Digest.fromHex(this.#algorithm, hex);
  }
}

class TwoStateHasher implements DualHasher {
  readonly #primary: SingleHasher;
  readonly #sha256: SingleHasher;
  #sizeBytes = 0;

  constructor(primary: HashFunction, sha256: HashFunction) {
    this.#primary = new SingleHasher("blake3", primary);
    this.#sha256 = new SingleHasher("sha256", sha256);
  }

  update(chunk: Uint8Array): void {
    this.#primary.update(chunk);
    this.#sha256.update(chunk);
    this.#sizeBytes += chunk.length;
  }

  digest(): DualDigest {
    const primary = this.#primary.digest();
    return { primary, sha256: this.#sha256.digest(), sizeBytes: this.#sizeBytes };
  }
}

function assertBytes(chunk: unknown): asserts chunk is Uint8Array {
  if (chunk instanceof Uint8Array) return;
  throw new StoreError(
    "invalid_argument",
    `Only a Uint8Array can be hashed, not ${quote(chunk)}; encode text first.`,
  );
}

function spent(): StoreError {
  return new StoreError("invalid_argument", "This hasher is spent; create one for each digest.");
}
