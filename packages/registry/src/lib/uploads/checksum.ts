import { createHash } from "node:crypto";

import { StoreError } from "@store/identity";
import type { SourceReader, Staged } from "@store/storage";

import type { AppendUploadOptions } from "./types.ts";

export type Checksum = NonNullable<AppendUploadOptions["checksum"]>;

/** Stages a source by itself, to its end, and refuses it unless it has the checksum. */
export async function stageChecked(
  staged: Staged,
  reader: SourceReader,
  { algorithm, digest }: Checksum,
  limitBytes: number,
): Promise<void> {
  const hash = createHash(algorithm);
  for (let chunk = await reader.next(); chunk !== undefined; chunk = await reader.next()) {
    hash.update(chunk);
    await staged.write(chunk);
    // What is far too long is refused where it is appended; its end has not to be waited for.
    if (staged.sizeBytes > limitBytes) break;
  }
  const actual = hash.digest();
  if (Buffer.compare(actual, digest) === 0) return;
  throw new StoreError(
    "digest_mismatch",
    `The ${algorithm} of these ${staged.sizeBytes} bytes is ${actual.toString("hex")}, not ` +
      `${Buffer.from(digest).toString("hex")}; none of them was kept. Send them again.`,
    {
      context: {
        expected: Buffer.from(digest).toString("hex"),
        actual: actual.toString("hex"),
      },
    },
  );
}
