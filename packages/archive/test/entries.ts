import { createHash } from "node:crypto";
import { createArchive } from "../src/index.ts";
import type { ArchiveEntry, ArchiveFormat } from "../src/index.ts";

export const formats = ["tar", "tar.gz", "zip"] as const;

/** Content as a vector describes it. */
export interface ContentRecipe {
  /** UTF-8, repeated. */
  readonly text?: string;
  readonly times?: number;
  /** Bytes of a generator that any language can repeat: see {@link noise}. */
  readonly noiseBytes?: number;
}

export function contentOf({ text = "", times = 1, noiseBytes = 0 }: ContentRecipe): Uint8Array {
  const repeated = new TextEncoder().encode(text.repeat(times));
  const content = new Uint8Array(repeated.length + noiseBytes);
  content.set(repeated);
  content.set(noise(noiseBytes), repeated.length);
  return content;
}

/** Incompressible: the top bytes of x = 1664525 x + 1013904223 mod 2^32, from x = 1 on. */
export function noise(sizeBytes: number): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  let state = 1;
  for (let index = 0; index < sizeBytes; index += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[index] = state >>> 24;
  }
  return bytes;
}

/** An entry in memory; `chunkBytes` is how its source divides it. */
export function entryOf(
  path: string,
  content: Uint8Array | string,
  options: { executable?: boolean; chunkBytes?: number } = {},
): ArchiveEntry {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  const { executable = false, chunkBytes = 64 * 1024 } = options;
  return {
    path,
    sizeBytes: bytes.length,
    executable,
    async *open() {
      // One buffer again and again, as a source may do.
      const buffer = new Uint8Array(chunkBytes);
      for (let start = 0; start < bytes.length; start += chunkBytes) {
        const part = bytes.subarray(start, start + chunkBytes);
        buffer.set(part);
        yield buffer.subarray(0, part.length);
        buffer.fill(0xaa);
      }
    },
  };
}

/** The whole archive. */
export async function archiveOf(
  format: ArchiveFormat,
  entries: AsyncIterable<ArchiveEntry> | Iterable<ArchiveEntry>,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of createArchive(format, entries)) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
