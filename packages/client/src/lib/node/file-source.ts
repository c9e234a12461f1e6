import { open, readdir, stat } from "node:fs/promises";
import { join, posix, sep } from "node:path";

import { StoreError } from "@store/identity";

import type { UploadSource } from "../push/source.ts";

/** Larger reads are faster, up to this. */
const readBytes = 1024 * 1024;

/**
 * A file of this machine. It is executable where its owner may execute it, unless `executable`
 * says otherwise.
 */
export async function fileSource(
  file: string,
  {
    path,
    executable,
    mediaType,
  }: { readonly path: string; readonly executable?: boolean; readonly mediaType?: string },
): Promise<UploadSource> {
  const { size, mode } = await stat(file);
  return {
    path,
    sizeBytes: size,
    executable: executable ?? (mode & 0o100) !== 0,
    ...(mediaType === undefined ? {} : { mediaType }),
    // A byte more than there was: whoever reads sees that the file has grown.
    open: (range) => readFile(file, range?.start ?? 0, range?.end ?? size + 1),
  };
}

/**
 * All files below a folder, by their path in it, in order.
 *
 * @throws {StoreError} `unsupported` for what is neither a file nor a folder, such as a link
 */
export async function* folderSources(folder: string): AsyncGenerator<UploadSource> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => !entry.isDirectory());
  const named = files.map((entry) => {
    const file = join(entry.parentPath, entry.name);
    const path = file.slice(join(folder, sep).length).replaceAll(sep, posix.sep);
    return { file, path, isFile: entry.isFile() };
  });
  for (const { file, path, isFile } of named.toSorted((a, b) => (a.path < b.path ? -1 : 1))) {
    if (!isFile) {
      throw new StoreError("unsupported", `${path} is neither a file nor a folder.`, {
        context: { path },
      });
    }
    yield await fileSource(file, { path });
  }
}

async function* readFile(file: string, start: number, end: number): AsyncGenerator<Uint8Array> {
  await using handle = await open(file);
  let position = start;
  while (position < end) {
    // A buffer of its own each time: whoever takes a chunk may keep it.
    const buffer = Buffer.allocUnsafe(Math.min(readBytes, end - position));
    const { bytesRead } = await handle.read(buffer, 0, buffer.byteLength, position);
    position += bytesRead;
    if (bytesRead > 0) yield buffer.subarray(0, bytesRead);
    if (bytesRead < buffer.byteLength) return;
  }
}
