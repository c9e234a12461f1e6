import {
  type ContentAddress,
  contentAddress,
  type Digest,
  digestOf,
  isStoreError,
  StoreError,
} from "@store/identity";
import type {
  ObjectInspector,
  ObjectReader,
  ObjectRemover,
  ObjectStager,
  StorageReceipt,
} from "./contract.ts";
import { type IngestOptions, ingestStream } from "./ingest.ts";
import { objectNotFound } from "./serve.ts";
import { corruptDigest, countedChunks } from "./verified-read.ts";

export interface ReplicateOptions extends Pick<
  IngestOptions,
  "lease" | "retentionClass" | "signal" | "onProgress"
> {
  /** Checked too, where it is recorded. */
  readonly sha256?: Digest;
  /**
   * Says that what stands in the target is damaged. It is removed once all bytes of the source are
   * there and right, just before they take its place; this is asked then, and leaves it with false.
   */
  readonly replace?: () => Promise<boolean>;
}

/**
 * Copies an object from one backend to another, checking every byte on the way, and returns the
 * other's receipt. Where it stands there already with the same size nothing is copied, so that it
 * may be repeated; whether what stands there is sound is `verifyObject`'s to say, and one that is
 * not is put in its place with `replace`. Throws
 * `object_not_found`, `object_corrupt` (of the source; nothing is kept), `size_mismatch` (another
 * size stands in the target) and what either backend throws.
 */
export async function replicateObject(
  from: ObjectReader & ObjectInspector,
  to: ObjectStager & ObjectInspector & ObjectRemover,
  address: ContentAddress,
  options: ReplicateOptions,
): Promise<StorageReceipt> {
  assertPrimary(address);
  const [source, target] = await Promise.all([from.stat(address), to.stat(address)]);
  if (source === undefined) throw objectNotFound(address);
  const { sizeBytes } = source;
  const { sha256, replace, ...rest } = options;
  if (target !== undefined && replace === undefined) {
    assertSameSize(address, sizeBytes, target.sizeBytes);
    return { address, sizeBytes, existed: true };
  }
  const makeWay = async (): Promise<"write" | "present"> => {
    if (target === undefined || replace === undefined) return "write";
    if (!(await replace())) return "present";
    await to.remove(address);
    return "write";
  };
  const chunks = from.open(address, options.signal === undefined ? {} : { signal: options.signal });
  try {
    const { receipt } = await ingestStream(to, countedChunks(address, chunks, sizeBytes), {
      ...rest,
      expect: { address, sizeBytes, ...(sha256 === undefined ? {} : { sha256 }) },
      admit: makeWay,
    });
    return receipt ?? { address, sizeBytes, existed: true };
  } catch (error) {
    throw sourceError(address, error);
  }
}

function assertSameSize(address: ContentAddress, source: number, target: number): void {
  if (source === target) return;
  throw new StoreError(
    "size_mismatch",
    `The object ${address} has ${source} bytes in the source and ${target} in the target; ` +
      "verify both and remove the one that is corrupt.",
    { context: { reference: address, expected: source, actual: target } },
  );
}

/** Objects are stored by their primary digest only, so no other address can be copied to. */
function assertPrimary(address: ContentAddress): void {
  if (digestOf(address).algorithm === "blake3") return;
  throw new StoreError(
    "invalid_argument",
    `${address} is not the address that objects are stored under; give the blake3 one.`,
    { context: { reference: contentAddress(digestOf(address)) } },
  );
}

/** To the ingest the bytes were wrongly declared; here it is the source that holds wrong bytes. */
function sourceError(address: ContentAddress, error: unknown): unknown {
  if (!isStoreError(error, "digest_mismatch")) return error;
  const { expected, actual } = error.context;
  return corruptDigest(address, String(expected), String(actual));
}
