import { randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, open, unlink } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { StoreError } from "@store/identity";
import { type BodySum, RunningSum, type SumKind } from "./body-sum.ts";
import type { PartBytes } from "./held-bytes.ts";
import { SLAB_BYTES } from "./slab-pool.ts";

/**
 * The bytes of a part that is too large for memory, in a file without a name: it goes with the
 * process, however that ends.
 */
export class SpooledBytes implements PartBytes {
  readonly #folder: string;
  readonly #sum: RunningSum;
  #file: FileHandle | undefined;
  #sizeBytes = 0;

  constructor(folder: string, kind: SumKind) {
    this.#folder = folder;
    this.#sum = new RunningSum(kind);
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  async append(chunk: Uint8Array): Promise<void> {
    try {
      this.#file ??= await namelessFile(this.#folder);
      // The sum cannot be made of shared memory.
      const bytes = chunk.buffer instanceof SharedArrayBuffer ? Buffer.from(chunk) : chunk;
      for (let offset = 0; offset < bytes.length;) {
        const at = this.#sizeBytes + offset;
        offset += (await this.#file.write(bytes, offset, bytes.length - offset, at)).bytesWritten;
      }
      this.#sum.update(bytes);
      this.#sizeBytes += bytes.length;
    } catch (error) {
      throw new StoreError(
        "storage_full",
        "Failed to write a large part to the spool folder: free space there, or name another.",
        { cause: error },
      );
    }
  }

  body(): Uint8Array | Readable {
    if (this.#file === undefined) return new Uint8Array(0);
    const end = this.#sizeBytes - 1;
    const options = { fd: this.#file, start: 0, end, autoClose: false, highWaterMark: SLAB_BYTES };
    return createReadStream("", options);
  }

  sum(flexible: boolean): BodySum {
    return this.#sum.sum(flexible);
  }

  async release(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close().catch(() => undefined);
  }
}

async function namelessFile(folder: string): Promise<FileHandle> {
  const path = join(folder, `store-s3-part-${randomUUID()}`);
  const file = await open(path, "wx+", 0o600);
  await unlink(path);
  return file;
}
