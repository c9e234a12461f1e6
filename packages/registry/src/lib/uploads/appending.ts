import { StoreError } from "@store/identity";
import { SlabWriter, type Digester, type SourceReader, type Staged } from "@store/storage";

import { noDigester } from "./digesters.ts";

/** So many bytes at most are lost by a process that is killed in the middle of a long body. */
const checkpointBytes = 64 * 1024 * 1024;

export interface Appending {
  readonly staged: Staged;
  readonly reader: SourceReader;
  /** The hashing of the bytes before, if this process has it. */
  readonly digester: Digester | undefined;
  /** The size that was declared, and the most that is accepted. */
  readonly sizeBytes: number | undefined;
  readonly limitBytes: number;
  /** Records a durable offset. */
  readonly record: (offsetBytes: number) => Promise<void>;
}

export interface Appended {
  /** All that arrived is durable: the offset now. */
  readonly offsetBytes: number;
  /** What ended the source, where that was not its end. */
  readonly failure: { readonly error: unknown } | undefined;
}

/**
 * Writes what the source gives, hashes it where that goes on from before, and makes it durable
 * now and then, and at the end whatever the end was. Throws if the bytes cannot be written: what
 * is durable of them then is found when the upload is resumed.
 */
export async function appendSource(appending: Appending): Promise<Appended> {
  const { staged, digester = noDigester } = appending;
  const writer = new SlabWriter(staged, digester);
  let failure: Appended["failure"];
  try {
    await pump(writer, appending);
  } catch (error) {
    failure = { error };
  }
  try {
    await writer.flush();
    return { offsetBytes: await staged.sync(), failure };
  } catch (error) {
    throw failure === undefined ? error : failure.error;
  } finally {
    await writer.settle();
  }
}

async function pump(writer: SlabWriter, appending: Appending): Promise<void> {
  const { staged, reader, record, sizeBytes = Infinity, limitBytes } = appending;
  let arrived = staged.sizeBytes;
  let durable = staged.sizeBytes;
  for (let chunk = await reader.next(); chunk !== undefined; chunk = await reader.next()) {
    const room = Math.min(sizeBytes, limitBytes) - arrived;
    await writer.append(chunk.subarray(0, room));
    if (chunk.length > room) throw tooLong(sizeBytes, limitBytes);
    arrived += chunk.length;
    reader.ask();
    writer.hash();
    if (arrived - durable < checkpointBytes) continue;
    await writer.flush();
    durable = await staged.sync();
    await record(durable);
  }
}

function tooLong(sizeBytes: number, limitBytes: number): StoreError {
  if (limitBytes < sizeBytes) return tooLarge(limitBytes);
  return new StoreError(
    "size_mismatch",
    `The upload was declared with ${sizeBytes} bytes, and more were sent; what is too much was ` +
      "not kept.",
    { context: { expected: sizeBytes } },
  );
}

/** The refusal of an upload that is larger than any may be. */
export function tooLarge(limitBytes: number): StoreError {
  return new StoreError("limit_exceeded", `An upload has at most ${limitBytes} bytes.`, {
    context: { limit: limitBytes },
  });
}
