import { createDigester, type Digester, type Staged } from "@store/storage";
import { StoreError, type DualDigest } from "@store/identity";

/** Digesters of uploads between their appends; above this the one that waits longest goes. */
const mostKept = 64;

interface Kept {
  readonly digester: Digester;
  readonly offsetBytes: number;
}

/**
 * The hashing of uploads that go on in this process. What is not here, after a restart or in
 * another process, is found at the end by reading the bytes back.
 */
export class Digesters {
  readonly #kept = new Map<string, Kept>();
  #closed = false;

  /** A digester of the first `offsetBytes`, or undefined where they were not hashed here. */
  async take(
    uploadId: string,
    offsetBytes: number,
    expectedBytes: number | undefined,
  ): Promise<Digester | undefined> {
    const kept = this.#kept.get(uploadId);
    this.#kept.delete(uploadId);
    if (kept?.offsetBytes === offsetBytes) return kept.digester;
    kept?.digester.abort();
    return offsetBytes === 0 ? createDigester(expectedBytes) : undefined;
  }

  keep(uploadId: string, digester: Digester, offsetBytes: number): void {
    this.drop(uploadId);
    if (this.#closed) return digester.abort();
    this.#kept.set(uploadId, { digester, offsetBytes });
    const [longest] = this.#kept.keys();
    if (this.#kept.size > mostKept && longest !== undefined) this.drop(longest);
  }

  drop(uploadId: string): void {
    this.#kept.get(uploadId)?.digester.abort();
    this.#kept.delete(uploadId);
  }

  close(): void {
    this.#closed = true;
    for (const uploadId of this.#kept.keys()) this.drop(uploadId);
  }
}

/** Hashes nothing: for bytes that will be read back. */
export const noDigester: Digester = {
  update: () => Promise.resolve(),
  digest: () => Promise.reject(new StoreError("internal", "These bytes were not hashed.")),
  abort: () => undefined,
};

/** The digests of staged bytes, by reading them once. */
export async function digestStaged(staged: Staged, signal: AbortSignal): Promise<DualDigest> {
  const digester = await createDigester(staged.sizeBytes);
  try {
    for await (const chunk of staged.read({ signal, reuseChunks: true })) {
      await digester.update(chunk);
    }
    const digest = await digester.digest();
    if (digest.sizeBytes === staged.sizeBytes) return digest;
    throw new StoreError(
      "object_corrupt",
      `Of ${staged.sizeBytes} staged bytes ${digest.sizeBytes} were read back. Check the storage.`,
      { context: { expected: staged.sizeBytes, actual: digest.sizeBytes } },
    );
  } finally {
    digester.abort();
  }
}
