import { closeSync, openSync, readSync, unlinkSync, writeSync } from "node:fs";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Bytes on disk, which never change. */
export interface Blob {
  readonly path: string;
  readonly size: number;
  /** How many objects, parts and readers still want it. */
  users: number;
}

/** A run of a blob's bytes. */
export interface Segment {
  readonly blob: Blob;
  readonly offset: number;
  readonly length: number;
}

const blockBytes = 1024 * 1024;
/** Up to here one call that blocks is quicker than two hops to the thread pool. */
const smallBytes = 64 * 1024;

/** The files of a double, in a temporary folder of its own. */
export class Blobs {
  readonly #folder: string;
  #next = 0;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async create(parent: string = tmpdir()): Promise<Blobs> {
    return new Blobs(await mkdtemp(join(parent, "store-s3-double-")));
  }

  /** Removes every file. */
  async close(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** Writes what the source gives; its first user is the caller. */
  async write(source: AsyncIterable<Buffer>): Promise<Blob> {
    const path = join(this.#folder, (this.#next += 1).toString(36));
    const writer = new BlockWriter(path);
    try {
      for await (const bytes of source) await writer.add(bytes);
      return { path, size: await writer.end(), users: 1 };
    } catch (error) {
      await writer.abandon();
      throw error;
    }
  }
}

/** Gathers blocks, and hashing goes on while the last block is written. */
class BlockWriter {
  readonly #path: string;
  #file: Awaited<ReturnType<typeof open>> | undefined;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #size = 0;
  #writing: Promise<unknown> | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  async add(bytes: Buffer): Promise<void> {
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
    if (this.#heldBytes >= blockBytes) await this.#flush();
  }

  async end(): Promise<number> {
    if (this.#file === undefined && this.#heldBytes <= smallBytes) {
      const file = openSync(this.#path, "wx");
      for (const bytes of this.#held) writeSync(file, bytes);
      closeSync(file);
      return this.#heldBytes;
    }
    await this.#flush();
    await this.#writing;
    await this.#file?.close();
    return this.#size;
  }

  async abandon(): Promise<void> {
    await this.#writing?.catch(() => undefined);
    await this.#file?.close();
    await rm(this.#path, { force: true });
  }

  async #flush(): Promise<void> {
    this.#file ??= await open(this.#path, "wx");
    await this.#writing;
    const blocks = this.#held;
    this.#held = [];
    this.#size += this.#heldBytes;
    this.#heldBytes = 0;
    if (blocks.length === 0) return;
    this.#writing = this.#file.writev(blocks);
    // Awaited before the next block, or at the end.
    this.#writing.catch(() => undefined);
  }
}

/** Says that the segments are wanted, until `release`. */
export function retain(segments: readonly Segment[]): void {
  for (const { blob } of segments) blob.users += 1;
}

/** Says that the segments are not wanted any more; the last user's files go. */
export function release(segments: readonly Segment[]): void {
  for (const { blob } of segments) {
    blob.users -= 1;
    if (blob.users === 0) unlinkSync(blob.path);
  }
}

/** The whole of a blob. */
export function wholeOf(blob: Blob): Segment {
  return { blob, offset: 0, length: blob.size };
}

/** The segments of `length` bytes from `start` on. */
export function sliceSegments(
  segments: readonly Segment[],
  start: number,
  length: number,
): Segment[] {
  const sliced: Segment[] = [];
  let from = start;
  let left = length;
  for (const segment of segments) {
    if (left === 0) break;
    const taken = Math.min(segment.length - from, left);
    if (taken > 0) {
      sliced.push({ blob: segment.blob, offset: segment.offset + from, length: taken });
      left -= taken;
    }
    from = Math.max(0, from - segment.length);
  }
  return sliced;
}

/** Reads segments by blocks. The caller keeps them from being released. */
export async function* readSegments(segments: readonly Segment[]): AsyncGenerator<Buffer> {
  for (const segment of segments) {
    if (segment.length <= smallBytes) yield readSmall(segment);
    else yield* readLarge(segment);
  }
}

function readSmall({ blob, offset, length }: Segment): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  const file = openSync(blob.path, "r");
  try {
    return bytes.subarray(0, readSync(file, bytes, 0, length, offset));
  } finally {
    closeSync(file);
  }
}

async function* readLarge({ blob, offset, length }: Segment): AsyncGenerator<Buffer> {
  const file = await open(blob.path, "r");
  try {
    for (let done = 0; done < length;) {
      const bytes = Buffer.allocUnsafeSlow(Math.min(blockBytes, length - done));
      const { bytesRead } = await file.read(bytes, 0, bytes.length, offset + done);
      if (bytesRead === 0) return;
      yield bytes.subarray(0, bytesRead);
      done += bytesRead;
    }
  } finally {
    await file.close();
  }
}
