import {
  contentAddress,
  type ContentAddress,
  type DualDigest,
  type DualHashing,
  loadDualHashing,
} from "@store/identity";
import { assertNotAborted } from "./aborting.ts";
import type { ObjectStager, Staged, StorageReceipt } from "./contract.ts";
import { assertExpected, type Expectation, SizeGuard } from "./expectation.ts";
import { assertLease } from "./lease.ts";
import { createDigester } from "./hashing/digester.ts";
import { SlabWriter } from "./slab-writer.ts";
import { GrowingSlab, SLAB_BYTES } from "./slabs.ts";
import { SourceReader } from "./source-reader.ts";

export interface IngestOptions {
  /** The lease that protects what is staged from a sweep. */
  readonly lease: string;
  /** What the caller claims about the bytes; anything else is refused and not kept. */
  readonly expect?: Expectation;
  /** The most that is accepted. */
  readonly limitBytes?: number;
  /** The retention class of what will point at the object; a hint to the backend. */
  readonly retentionClass?: string;
  /** Gives the ingest up; what was staged is discarded. Not heeded any more during `commit`. */
  readonly signal?: AbortSignal;
  /** Called with the bytes read so far, at most once a MiB, and at the end. */
  readonly onProgress?: (readBytes: number) => void;
  /**
   * Asked once, with digests that match what was expected, before the object becomes visible: the
   * caller takes its lease on the object here. `present`: the object is held already, and is not
   * written.
   */
  readonly admit: (digest: DualDigest) => Promise<"write" | "present">;
}

export interface IngestResult {
  readonly digest: DualDigest;
  readonly address: ContentAddress;
  /** Undefined where `admit` answered `present`. */
  readonly receipt: StorageReceipt | undefined;
}

/**
 * Reads a source once, makes both digests, checks them, and stores the bytes durably under their
 * BLAKE3 address. Up to 1 MiB is gathered in memory and admitted before anything is staged, so
 * that a small object which is known already never touches the backend. More than that is staged
 * while it is hashed, at most 2 MiB of it in memory, as fast as the backend takes it.
 *
 * When it resolves with a receipt, the object is durable. When it throws, the source, once begun,
 * was told to stop, staged bytes were discarded (or are left to the sweep of their lease, if that
 * failed too), and the first failure is what is thrown: that of the source as it is, that of the
 * backend, `digest_mismatch`, `size_mismatch`, `limit_exceeded`, `aborted` or `invalid_argument`.
 * The object may have become visible only if `commit` itself failed.
 */
export async function ingestStream(
  backend: ObjectStager,
  source: AsyncIterable<Uint8Array>,
  options: IngestOptions,
): Promise<IngestResult> {
  assertLease(options.lease);
  const guard = new SizeGuard(options.expect?.sizeBytes, options.limitBytes);
  const hashing = await loadDualHashing();
  const reader = new SourceReader(source, options.signal);
  try {
    const ingest = new Ingest(backend, reader, guard, hashing, options);
    return await ingest.run();
  } finally {
    await reader.release();
  }
}

class Ingest {
  readonly #backend: ObjectStager;
  readonly #reader: SourceReader;
  readonly #guard: SizeGuard;
  readonly #hashing: DualHashing;
  readonly #options: IngestOptions;

  constructor(
    backend: ObjectStager,
    reader: SourceReader,
    guard: SizeGuard,
    hashing: DualHashing,
    options: IngestOptions,
  ) {
    this.#backend = backend;
    this.#reader = reader;
    this.#guard = guard;
    this.#hashing = hashing;
    this.#options = options;
  }

  async run(): Promise<IngestResult> {
    const first = await this.#next();
    const head = new GrowingSlab(this.#options.expect?.sizeBytes ?? first?.length ?? 0);
    for (let chunk = first; chunk !== undefined; chunk = await this.#next()) {
      if (head.sizeBytes + chunk.length > SLAB_BYTES) return this.#large(head.bytes, chunk);
      head.append(chunk);
    }
    return this.#small(head.bytes);
  }

  async #small(bytes: Uint8Array): Promise<IngestResult> {
    const digest = this.#hashing.digestBytes(bytes);
    this.#options.onProgress?.(bytes.length);
    if ((await this.#admit(digest)) === "present") return resultOf(digest, undefined);
    const staged = await this.#stage(bytes.length);
    return this.#discardingOnFailure(staged, async () => {
      if (bytes.length > 0) await staged.write(bytes);
      return this.#commit(staged, digest);
    });
  }

  async #large(head: Uint8Array, chunk: Uint8Array): Promise<IngestResult> {
    const expectedBytes = this.#options.expect?.sizeBytes;
    const staged = await this.#stage(expectedBytes);
    return this.#discardingOnFailure(staged, async () => {
      const digester = await createDigester(expectedBytes);
      const writer = new SlabWriter(staged, digester);
      try {
        const digest = await this.#pump(writer, head, chunk);
        if ((await this.#admit(digest)) === "write") return await this.#commit(staged, digest);
        await staged.abort().catch(() => undefined);
        return resultOf(digest, undefined);
      } finally {
        digester.abort();
        await writer.settle();
      }
    });
  }

  /** Writes and hashes what was read and what is still to be read. */
  async #pump(writer: SlabWriter, head: Uint8Array, first: Uint8Array): Promise<DualDigest> {
    await writer.append(head);
    let reported = 0;
    for (let chunk: Uint8Array | undefined = first; chunk; chunk = await this.#next()) {
      await writer.append(chunk);
      this.#reader.ask();
      writer.hash();
      if (this.#guard.sizeBytes - reported < SLAB_BYTES) continue;
      reported = this.#guard.sizeBytes;
      this.#options.onProgress?.(reported);
    }
    const digest = await writer.finish();
    if (digest.sizeBytes > reported) this.#options.onProgress?.(digest.sizeBytes);
    return digest;
  }

  async #next(): Promise<Uint8Array | undefined> {
    const chunk = await this.#reader.next();
    if (chunk !== undefined) this.#guard.add(chunk.length);
    return chunk;
  }

  async #admit(digest: DualDigest): Promise<"write" | "present"> {
    assertExpected(digest, this.#options.expect ?? {});
    assertNotAborted(this.#options.signal, "transfer");
    return this.#options.admit(digest);
  }

  #stage(expectedSizeBytes: number | undefined): Promise<Staged> {
    assertNotAborted(this.#options.signal, "transfer");
    const { expect, lease, retentionClass } = this.#options;
    const claim = expect?.address;
    return this.#backend.stage({
      lease,
      ...(retentionClass === undefined ? {} : { retentionClass }),
      ...(claim === undefined ? {} : { claim }),
      ...(expectedSizeBytes === undefined ? {} : { expectedSizeBytes }),
    });
  }

  async #commit(staged: Staged, digest: DualDigest): Promise<IngestResult> {
    assertNotAborted(this.#options.signal, "transfer");
    return resultOf(digest, await staged.commit(contentAddress(digest.primary)));
  }

  /** Discards what is staged if the work fails; a failure to discard does not hide the first. */
  async #discardingOnFailure<T>(staged: Staged, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      await staged.abort().catch(() => undefined);
      throw error;
    }
  }
}

function resultOf(digest: DualDigest, receipt: StorageReceipt | undefined): IngestResult {
  return { digest, address: contentAddress(digest.primary), receipt };
}
