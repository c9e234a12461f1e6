import assert from "node:assert/strict";
import { type ContentAddress, parseContentAddress } from "@store/identity";
import type { StageOptions, StorageBackend, StorageReceipt } from "@store/storage";
import { addressOf, gathered, sampleBytes } from "@store/storage/conformance";

export const MIB = 1024 * 1024;

const block = Buffer.from(sampleBytes(MIB, 77));

/** Megabytes that are quickly made; every mebibyte differs from its neighbours. */
export function manyBytes(sizeBytes: number, seed = 1): Buffer {
  const bytes = Buffer.allocUnsafe(sizeBytes);
  for (let offset = 0; offset < sizeBytes; offset += MIB) {
    block.copy(bytes, offset);
    if (offset + 8 <= sizeBytes) bytes.writeDoubleBE(seed * 1e6 + offset, offset);
  }
  return bytes;
}

/** Stages in writes of 1 MiB and commits, under the bytes' own address; claims it if asked to. */
export async function put(
  backend: StorageBackend,
  bytes: Uint8Array,
  options: Partial<StageOptions> & { readonly claimed?: boolean } = {},
): Promise<StorageReceipt> {
  const { claimed = false, ...rest } = options;
  const address = await addressOf(bytes);
  const claim = claimed ? { claim: address } : {};
  const staged = await backend.stage({ lease: "test", ...claim, ...rest });
  for (let at = 0; at < bytes.length; at += MIB) await staged.write(bytes.subarray(at, at + MIB));
  return staged.commit(address);
}

/** An address that begins so; nobody's digest. The backend does not look. */
export function addressWith(start: string, algorithm = "blake3"): ContentAddress {
  return parseContentAddress(`${algorithm}:${start.padEnd(64, "0")}`);
}

/** Compares without printing megabytes. */
export function assertSameBytes(actual: Uint8Array, expected: Uint8Array): void {
  assert.equal(actual.length, expected.length);
  assert.ok(Buffer.compare(actual, expected) === 0, "the bytes differ");
}

export async function stagedIn(backend: StorageBackend): Promise<string[]> {
  return (await gathered(backend.listStaged())).map(({ id }) => id);
}

/** Discards everything that is staged, as a sweep of dead leases does. */
export async function sweep(backend: StorageBackend): Promise<void> {
  for (const id of await stagedIn(backend)) await backend.discardStaged(id);
}
