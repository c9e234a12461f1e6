import type { AlgorithmDefinition } from "../algorithms.ts";

/** `native` is `@napi-rs/blake-hash`, `node` is `node:crypto`, `wasm` is `hash-wasm`. */
export type EngineName = "native" | "node" | "wasm";

/** An implementation of some or all algorithms. */
export interface Engine {
  readonly name: EngineName;
  /** Resolves to undefined where the engine is not present or lacks the algorithm. */
  load(definition: AlgorithmDefinition): Promise<HashFunction | undefined>;
}

/** One algorithm of one engine. Digests are lowercase hex. */
export interface HashFunction {
  create(): HashState;
  digestBytes(bytes: Uint8Array): string;
}

/** A digest in the making; nothing may be called after `digest`. */
export interface HashState {
  update(chunk: Uint8Array): void;
  digest(): string;
}
