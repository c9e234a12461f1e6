import type { IHasher } from "hash-wasm";

/** What Store knows about one digest algorithm, and where each engine finds it. */
export interface AlgorithmDefinition {
  readonly sizeBytes: number;
  /** The function of `@napi-rs/blake-hash`, where the addon has the algorithm. */
  readonly addonName?: "blake3";
  /** The name in `node:crypto`, where OpenSSL has the algorithm. */
  readonly opensslName?: string;
  /** Instantiates the WebAssembly of `hash-wasm`, which every algorithm must have. */
  readonly createWasm: () => Promise<IHasher>;
}

/**
 * The registry: an algorithm is one entry here. Each `import()` is of a file of its own, so that
 * Node never reads WebAssembly that it does not run and a bundler drops the other algorithms.
 */
const definitions = {
  blake3: {
    sizeBytes: 32,
    addonName: "blake3",
    createWasm: async () => (await import("./wasm/blake3.ts")).create(),
  },
  sha256: {
    sizeBytes: 32,
    opensslName: "sha256",
    createWasm: async () => (await import("./wasm/sha256.ts")).create(),
  },
} as const satisfies Record<string, AlgorithmDefinition>;

/** The name of a registered digest algorithm. */
export type DigestAlgorithm = keyof typeof definitions;

/** Whether `name` is a registered algorithm. */
export function isDigestAlgorithm(name: string): name is DigestAlgorithm {
  return Object.hasOwn(definitions, name);
}

/** The names of all registered algorithms, the primary one first. */
export const digestAlgorithms: readonly DigestAlgorithm[] = Object.freeze(
  Object.keys(definitions).filter(isDigestAlgorithm),
);

export function algorithmDefinition(algorithm: DigestAlgorithm): AlgorithmDefinition {
  return definitions[algorithm];
}
