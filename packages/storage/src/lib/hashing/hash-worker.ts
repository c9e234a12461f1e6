/** The program of a thread that hashes; see {@link HashThread}, which starts it. */
import { parentPort } from "node:worker_threads";
import { type DualHasher, loadDualHashing } from "@store/identity";

/** What a thread is told about one hasher. Answered in order, `abort` not at all. */
export type HashRequest =
  | { readonly verb: "update"; readonly hasher: number; readonly chunk: Uint8Array }
  | { readonly verb: "digest" | "abort"; readonly hasher: number };

/** What it answers: that it runs, that it has read a chunk, or the digests. */
export type HashAnswer = "ready" | { readonly hasher: number; readonly digests?: HexDigests };

export interface HexDigests {
  readonly primary: string;
  readonly sha256: string;
  readonly sizeBytes: number;
}

if (parentPort === null) throw new Error("This program is run by a worker thread.");
const port = parentPort;
const hashing = await loadDualHashing();
const hashers = new Map<number, DualHasher>();

port.on("message", (request: HashRequest) => {
  const hasher = hashers.get(request.hasher) ?? hashing.createHasher();
  hashers.set(request.hasher, hasher);
  if (request.verb === "update") {
    hasher.update(request.chunk);
    port.postMessage({ hasher: request.hasher } satisfies HashAnswer);
    return;
  }
  hashers.delete(request.hasher);
  if (request.verb === "abort") return;
  const { primary, sha256, sizeBytes } = hasher.digest();
  const digests = { primary: primary.hex, sha256: sha256.hex, sizeBytes };
  port.postMessage({ hasher: request.hasher, digests } satisfies HashAnswer);
});
port.postMessage("ready" satisfies HashAnswer);
