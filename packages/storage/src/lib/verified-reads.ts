import type { ContentAddress } from "@store/identity";
import type { ReadOptions, StorageBackend } from "./contract.ts";
import { ForwardingBackend } from "./forwarding.ts";
import { isWhole } from "./range.ts";
import { verifiedChunks } from "./verified-read.ts";

/**
 * A backend whose whole reads are checked against the address while they stream: a read of an
 * object that is not intact fails with `object_corrupt` before its last chunk, and an object of
 * one chunk before any of it. Ranges pass unverified, since a digest says nothing of a part.
 */
export function withVerifiedReads(inner: StorageBackend): StorageBackend {
  return new VerifyingBackend(inner);
}

class VerifyingBackend extends ForwardingBackend {
  override open(address: ContentAddress, options: ReadOptions = {}): AsyncIterable<Uint8Array> {
    // A chunk is held back here, for longer than one that is filled again allows.
    const chunks = this.inner.open(address, { ...options, reuseChunks: false });
    return isWhole(options.range) ? verifiedChunks(address, chunks) : chunks;
  }
}
