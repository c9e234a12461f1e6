import {
  type ContentAddress,
  createHasher,
  type Digest,
  digestOf,
  StoreError,
} from "@store/identity";

/**
 * Passes an object's chunks on and checks them against its address. The last chunk is held back
 * until the digest is known, so that nobody has received a whole object that is not the right
 * one; an object of one chunk is checked before any of it is seen. Throws `object_corrupt`.
 */
export async function* verifiedChunks(
  address: ContentAddress,
  chunks: AsyncIterable<Uint8Array>,
  expectedSizeBytes?: number,
  onFailure?: (failure: unknown) => void,
): AsyncGenerator<Uint8Array> {
  try {
    const hasher = await createHasher(digestOf(address).algorithm);
    let sizeBytes = 0;
    let held: Uint8Array | undefined;
    for await (const chunk of chunks) {
      sizeBytes += chunk.length;
      if (expectedSizeBytes !== undefined && sizeBytes > expectedSizeBytes) {
        throw corruptSize(address, expectedSizeBytes, sizeBytes, "at least ");
      }
      hasher.update(chunk);
      if (held !== undefined) yield held;
      held = chunk;
    }
    if (expectedSizeBytes !== undefined && sizeBytes !== expectedSizeBytes) {
      throw corruptSize(address, expectedSizeBytes, sizeBytes, "");
    }
    assertIntact(address, hasher.digest());
    if (held !== undefined) yield held;
  } catch (failure) {
    onFailure?.(failure);
    throw failure;
  }
}

/** Passes chunks on and checks how many bytes there are: of a range that is all one can. */
export async function* countedChunks(
  address: ContentAddress,
  chunks: AsyncIterable<Uint8Array>,
  expectedSizeBytes: number,
  onFailure?: (failure: unknown) => void,
): AsyncGenerator<Uint8Array> {
  try {
    let sizeBytes = 0;
    for await (const chunk of chunks) {
      sizeBytes += chunk.length;
      if (sizeBytes > expectedSizeBytes) break;
      yield chunk;
    }
    if (sizeBytes !== expectedSizeBytes) {
      throw corruptSize(address, expectedSizeBytes, sizeBytes, "for what was asked ");
    }
  } catch (failure) {
    onFailure?.(failure);
    throw failure;
  }
}

/** Throws `object_corrupt` unless an object's bytes have the digest that it is addressed by. */
export function assertIntact(address: ContentAddress, actual: Digest): void {
  if (digestOf(address).equals(actual)) return;
  throw corruptDigest(address, address, String(actual));
}

export function corruptDigest(
  address: ContentAddress,
  expected: string,
  actual: string,
): StoreError {
  return new StoreError(
    "object_corrupt",
    `The stored object ${address} has the digest ${actual}, not ${expected}. ` +
      "Restore it from a replica or a backup, or push its bytes again after removing it.",
    { context: { reference: address, expected, actual } },
  );
}

/** The finding that an object has another size than it should have. */
export function corruptSize(
  address: ContentAddress,
  expected: number,
  actual: number,
  qualifier: string,
): StoreError {
  return new StoreError(
    "object_corrupt",
    `The stored object ${address} gives ${qualifier}${actual} bytes, not ${expected}. ` +
      "Restore it from a replica or a backup, or push its bytes again after removing it.",
    { context: { reference: address, expected, actual } },
  );
}
