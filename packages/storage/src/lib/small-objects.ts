import type { ContentAddress } from "@store/identity";
import { LRUCache } from "lru-cache";
import { assertNotAborted } from "./aborting.ts";
import { type ServedObject, type ServeOptions, serveObject } from "./serve.ts";
import type { ObjectInspector, ObjectReader } from "./contract.ts";
import { isWhole, resolveRange } from "./range.ts";

export interface SmallObjectsOptions {
  /** How many bytes are kept at most; the least recently read go first. */
  readonly limitBytes: number;
  /** The largest object that is kept; 64 KiB unless given. */
  readonly objectBytes?: number;
}

/**
 * Serves objects, and keeps small ones in memory once they were read whole and verified: opening a
 * file costs more than sending it. An object never changes, so that what is kept is never stale;
 * what was damaged or lost since is not seen here, so that whoever verifies reads the backend.
 */
export class SmallObjects {
  readonly #kept: LRUCache<ContentAddress, Uint8Array> | undefined;
  readonly #objectBytes: number;

  constructor({ limitBytes, objectBytes = 64 * 1024 }: SmallObjectsOptions) {
    this.#objectBytes = Math.min(objectBytes, limitBytes);
    if (limitBytes === 0) return;
    // An address and its place take as much memory as some bytes do.
    const sizeCalculation = (bytes: Uint8Array): number => bytes.length + 256;
    this.#kept = new LRUCache({ maxSize: limitBytes, sizeCalculation });
  }

  /** Like {@link serveObject}; throws what it throws. */
  serve(
    backend: ObjectReader & ObjectInspector,
    address: ContentAddress,
    options: Omit<ServeOptions, "verify"> = {},
  ): Promise<ServedObject> {
    return this.serveFrom(address, options, () => serveObject(backend, address, options));
  }

  /** What is kept, or what `serve` opens, which verifies whole reads. */
  async serveFrom(
    address: ContentAddress,
    options: Pick<ServeOptions, "range" | "signal">,
    serve: () => Promise<ServedObject>,
  ): Promise<ServedObject> {
    const bytes = this.#kept?.get(address);
    if (bytes !== undefined) return serveBytes(bytes, options);
    const served = await serve();
    const { sizeBytes, verified, body } = served;
    const isKept = verified === "whole" && sizeBytes > 0 && sizeBytes <= this.#objectBytes;
    return isKept ? { ...served, body: this.#keeping(address, body) } : served;
  }

  /** Passes on what was verified, and keeps it if it is one chunk, as small objects are. */
  async *#keeping(
    address: ContentAddress,
    body: AsyncIterable<Uint8Array>,
  ): AsyncGenerator<Uint8Array> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of body) {
      // A copy in memory of its own: the caller may change what it gets, and a part of a larger
      // buffer, as `slice` of a `Buffer` is, would keep all of that.
      chunks.push(new Uint8Array(chunk));
      yield chunk;
    }
    const [only] = chunks;
    if (only !== undefined && chunks.length === 1) this.#kept?.set(address, only);
  }
}

function serveBytes(
  bytes: Uint8Array,
  options: Pick<ServeOptions, "range" | "signal">,
): ServedObject {
  const range = resolveRange(options.range, bytes.length);
  assertNotAborted(options.signal, "transfer");
  const part = new Uint8Array(bytes.subarray(range.start, range.end));
  return {
    body: only(part),
    verified: isWhole(options.range) ? "whole" : "none",
    sizeBytes: bytes.length,
    range,
  };
}

async function* only(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  if (bytes.length > 0) yield bytes;
}
