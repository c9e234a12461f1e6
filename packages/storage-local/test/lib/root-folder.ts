import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ContentAddress, parseContentAddress } from "@store/identity";
import type { StorageBackend, StorageReceipt } from "@store/storage";
import { addressOf, gathered } from "@store/storage/conformance";

/** A path for a root that does not exist yet, in a folder that goes when the test ends. */
export async function newRoot(onEnd: (clean: () => Promise<void>) => void): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "store-local-"));
  onEnd(async () => rm(folder, { recursive: true, force: true }));
  return join(folder, "objects");
}

/** Stages and commits, under the bytes' own address if none is given. */
export async function put(
  backend: StorageBackend,
  bytes: Uint8Array,
  address?: ContentAddress,
): Promise<StorageReceipt> {
  const staged = await backend.stage({ lease: "test", expectedSizeBytes: bytes.length });
  await staged.write(bytes);
  return staged.commit(address ?? (await addressOf(bytes)));
}

/** An address that begins so; nobody's digest. The backend does not look. */
export function addressWith(start: string, algorithm = "blake3"): ContentAddress {
  return parseContentAddress(`${algorithm}:${start.padEnd(64, "0")}`);
}

export async function addressesIn(backend: StorageBackend): Promise<ContentAddress[]> {
  return (await gathered(backend.enumerate())).map(({ address }) => address);
}

export async function stagedIn(backend: StorageBackend): Promise<string[]> {
  return (await gathered(backend.listStaged())).map(({ id }) => id);
}

/** Compares without printing megabytes. */
export function assertSameBytes(actual: Uint8Array, expected: Uint8Array): void {
  assert.ok(Buffer.compare(actual, expected) === 0, "the bytes differ");
}
