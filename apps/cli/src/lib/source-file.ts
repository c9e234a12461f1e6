import { constants, type BigIntStats } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";

import { StoreError } from "@store/identity";

import { systemCode, systemError } from "./system-error.ts";

/** A regular file on its way into a package. */
export interface SourceFile {
  /** The path in the package. */
  readonly path: string;
  /** Where it lies on disk. */
  readonly source: string;
  readonly sizeBytes: number;
  readonly executable: boolean;
  /** What identified the file and its state when it was found. */
  readonly stats: BigIntStats;
}

const chunkBytes = 1024 * 1024;

export interface ReadOptions {
  readonly follow: boolean;
  readonly signal: AbortSignal;
  /** All of it unless given; `end` is exclusive. */
  readonly range?: { readonly start: number; readonly end?: number } | undefined;
  /** Gives the chunks of a large file in the same memory: each is good until the next is asked for. */
  readonly reuse?: boolean;
}

/**
 * Reads a file that was found before, or a part of it, and makes sure that it is still the same one
 * and that nobody writes to it meanwhile.
 *
 * @throws {StoreError} `source_changed`, `aborted`, or what the system refuses.
 */
export async function* readSourceFile(
  file: SourceFile,
  { follow, signal, range, reuse = false }: ReadOptions,
): AsyncGenerator<Uint8Array> {
  await using handle = await openSource(file, follow);
  assertUnchanged(file, await handle.stat({ bigint: true }));
  let position = range?.start ?? 0;
  const end = Math.min(range?.end ?? file.sizeBytes, file.sizeBytes);
  const shared =
    reuse && end - position > chunkBytes ? Buffer.allocUnsafeSlow(chunkBytes) : undefined;
  while (position < end) {
    signal.throwIfAborted();
    const sizeBytes = Math.min(end - position, chunkBytes);
    const chunk = shared?.subarray(0, sizeBytes) ?? Buffer.allocUnsafeSlow(sizeBytes);
    const { bytesRead } = await read(handle, chunk, position, file);
    if (bytesRead === 0) throw changed(file);
    position += bytesRead;
    yield chunk.subarray(0, bytesRead);
  }
  // Whoever consumes this has not answered yet, so a change until now is still refused.
  assertUnchanged(file, await handle.stat({ bigint: true }));
}

async function openSource(file: SourceFile, follow: boolean): Promise<FileHandle> {
  // A file that was exchanged for a symbolic link or a pipe must neither be followed nor waited for.
  const noFollow = follow ? 0 : constants.O_NOFOLLOW;
  try {
    return await open(file.source, constants.O_RDONLY | constants.O_NONBLOCK | noFollow);
  } catch (error) {
    const code = systemCode(error);
    if (code === "ELOOP" || code === "ENXIO" || code === "ENOENT") throw changed(file, error);
    throw systemError(error, "read", file.source);
  }
}

async function read(handle: FileHandle, chunk: Uint8Array, position: number, file: SourceFile) {
  try {
    return await handle.read(chunk, 0, chunk.byteLength, position);
  } catch (error) {
    throw systemError(error, "read", file.source);
  }
}

function assertUnchanged(file: SourceFile, now: BigIntStats): void {
  const { dev, ino, size, mtimeNs } = file.stats;
  const isSame =
    now.isFile() &&
    now.dev === dev &&
    now.ino === ino &&
    now.size === size &&
    now.mtimeNs === mtimeNs;
  if (!isSame) throw changed(file);
}

function changed(file: SourceFile, cause?: unknown): StoreError {
  const message = `${file.source} changed while it was being read.`;
  return new StoreError("source_changed", message, { cause, context: { path: file.source } });
}
