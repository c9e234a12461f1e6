import { createHash, hash } from "node:crypto";
import type { Engine } from "./engine.ts";
import { wasmEngine } from "./wasm.ts";

/** `@napi-rs/blake-hash`, an optional dependency: no addon exists for some platforms. */
const nativeEngine: Engine = {
  name: "native",
  async load({ addonName }) {
    if (addonName === undefined) return undefined;
    const addon = await import("@napi-rs/blake-hash").catch(() => undefined);
    if (addon === undefined) return undefined;
    return {
      create() {
        const hasher = new addon.Blake3Hasher();
        return {
          update: (chunk) => void hasher.update(chunk),
          digest: () => hasher.digest("hex"),
        };
      },
      digestBytes: (bytes) => addon.blake3(bytes).toString("hex"),
    };
  },
};

const cryptoEngine: Engine = {
  name: "node",
  async load({ opensslName }) {
    if (opensslName === undefined) return undefined;
    return {
      create() {
        const hasher = createHash(opensslName);
        return {
          update: (chunk) => void hasher.update(chunk),
          digest: () => hasher.digest("hex"),
        };
      },
      // The one-shot form makes no stream object, which is most of the cost of a small input.
      digestBytes: (bytes) => hash(opensslName, bytes, "hex"),
    };
  },
};

/** The engines of Node.js and of runtimes that set its condition, the fastest first. */
export const engines: readonly Engine[] = [nativeEngine, cryptoEngine, wasmEngine];
