import {
  type ContentAddress,
  digestOf,
  digestStream,
  type DualDigest,
  isStoreError,
} from "@store/identity";
import type { ObjectReader } from "./contract.ts";
import { digestFor, type Expectation } from "./expectation.ts";

export interface VerifyOptions {
  /** What is recorded about the object besides its address. */
  readonly expect?: Pick<Expectation, "sha256" | "sizeBytes">;
  readonly signal?: AbortSignal;
  /** Called with the bytes read so far, after each chunk. */
  readonly onProgress?: (readBytes: number) => void;
}

/** What is true of a stored object. */
export type VerifyOutcome =
  | { readonly status: "ok"; readonly digest: DualDigest }
  | { readonly status: "missing" }
  | {
      readonly status: "corrupt";
      /** The first thing that is wrong: a size in bytes, or a digest as `algorithm:hex`. */
      readonly expected: string | number;
      readonly actual: string | number;
    };

/**
 * Reads an object to its end and compares its size and digests with the address and with what is
 * recorded. A missing or corrupt object is an answer, not an error; errors are `aborted`, and the
 * backend's when it cannot tell.
 */
export async function verifyObject(
  backend: ObjectReader,
  address: ContentAddress,
  options: VerifyOptions = {},
): Promise<VerifyOutcome> {
  const { signal } = options;
  try {
    const reading = signal === undefined ? {} : { signal };
    const chunks = reported(backend.open(address, reading), options.onProgress);
    const digest = await digestStream(chunks, reading);
    return outcomeOf(address, digest, options.expect ?? {});
  } catch (error) {
    if (isStoreError(error, "object_not_found")) return { status: "missing" };
    if (!isStoreError(error, "object_corrupt")) throw error;
    const { expected, actual } = error.context;
    return { status: "corrupt", expected: expected ?? address, actual: actual ?? "unreadable" };
  }
}

function outcomeOf(
  address: ContentAddress,
  digest: DualDigest,
  expect: NonNullable<VerifyOptions["expect"]>,
): VerifyOutcome {
  if (expect.sizeBytes !== undefined && expect.sizeBytes !== digest.sizeBytes) {
    return { status: "corrupt", expected: expect.sizeBytes, actual: digest.sizeBytes };
  }
  for (const expected of [digestOf(address), expect.sha256]) {
    if (expected === undefined) continue;
    const actual = digestFor(expected, digest);
    if (expected.equals(actual)) continue;
    return { status: "corrupt", expected: String(expected), actual: String(actual) };
  }
  return { status: "ok", digest };
}

async function* reported(
  chunks: AsyncIterable<Uint8Array>,
  onProgress: VerifyOptions["onProgress"],
): AsyncGenerator<Uint8Array> {
  let readBytes = 0;
  for await (const chunk of chunks) {
    yield chunk;
    readBytes += chunk.length;
    onProgress?.(readBytes);
  }
}
