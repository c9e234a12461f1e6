import type { IHasher } from "hash-wasm";
import type { Engine, HashFunction, HashState } from "./engine.ts";

/** `hash-wasm`: slower than the others and present everywhere. */
export const wasmEngine: Engine = {
  name: "wasm",
  load: async (definition) => new SharedInstance(await definition.createWasm()),
};

/**
 * One WebAssembly instance that any number of states share. Instantiation is asynchronous, and
 * states must be created synchronously and may be abandoned, so each state keeps its own saved
 * copy (2 KiB for BLAKE3) and takes the instance over when it is its turn. A state that is
 * updated again and again pays for no copy.
 */
class SharedInstance implements HashFunction {
  readonly #hasher: IHasher;
  #owner: SharedState | undefined;

  constructor(hasher: IHasher) {
    this.#hasher = hasher;
  }

  create(): HashState {
    return new SharedState(this);
  }

  digestBytes(bytes: Uint8Array): string {
    this.#evict();
    return this.#hasher.init().update(bytes).digest("hex");
  }

  takeOver(state: SharedState): IHasher {
    if (this.#owner === state) return this.#hasher;
    this.#evict();
    this.#owner = state;
    return state.saved === undefined ? this.#hasher.init() : this.#hasher.load(state.saved);
  }

  release(): void {
    this.#owner = undefined;
  }

  #evict(): void {
    if (this.#owner !== undefined) this.#owner.saved = this.#hasher.save();
    this.#owner = undefined;
  }
}

class SharedState implements HashState {
  readonly #instance: SharedInstance;
  saved: Uint8Array | undefined;

  constructor(instance: SharedInstance) {
    this.#instance = instance;
  }

  update(chunk: Uint8Array): void {
    this.#instance.takeOver(this).update(chunk);
  }

  digest(): string {
    const hex = this.#instance.takeOver(this).digest("hex");
    this.#instance.release();
    return hex;
  }
}
