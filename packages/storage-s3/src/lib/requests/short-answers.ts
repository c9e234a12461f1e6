import { Readable, Transform, type TransformCallback } from "node:stream";
import { StoreError } from "@store/identity";

/** A page of a thousand keys, each character of them escaped, has half as much. */
const LONGEST_DOCUMENT_BYTES = 16 * 1024 * 1024;
/** Above the size of any text that this backend writes. */
const LONGEST_TEXT_BYTES = 4096;

interface Answer {
  readonly headers: Readonly<Record<string, string>>;
  body?: unknown;
}

/** Cuts an answer that the SDK would gather in memory, however long a store makes it. */
export function cutWhereTooLong(answer: Answer): void {
  const { body, headers } = answer;
  if (!(body instanceof Readable) || Number(headers["content-length"]) <= LONGEST_DOCUMENT_BYTES) {
    return;
  }
  const limited = new Limited();
  // Who reads it meets the failure of either, and the connection goes with it.
  answer.body = body.on("error", (error) => limited.destroy(error)).pipe(limited);
  limited.once("close", () => body.destroy());
}

class Limited extends Transform {
  #receivedBytes = 0;

  override _transform(chunk: Uint8Array, _encoding: string, done: TransformCallback): void {
    this.#receivedBytes += chunk.length;
    if (this.#receivedBytes > LONGEST_DOCUMENT_BYTES) done(tooLong(LONGEST_DOCUMENT_BYTES));
    else done(null, chunk);
  }
}

/** A small text of ours, as the body of an answer gives it. */
export async function shortText(body: unknown): Promise<string> {
  if (!(body instanceof Readable)) return "";
  const chunks: Uint8Array[] = [];
  let receivedBytes = 0;
  // Leaving the loop destroys the body, and its connection.
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    receivedBytes += chunk.length;
    if (receivedBytes > LONGEST_TEXT_BYTES) throw tooLong(LONGEST_TEXT_BYTES);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function tooLong(limit: number): StoreError {
  return new StoreError(
    "storage_unavailable",
    `The store answered with more than ${limit} bytes where S3 never does. Check the endpoint.`,
    { context: { limit } },
  );
}

/** The refusal of a listing that comes to no end, or is not in order. */
export function listsWrongly(): StoreError {
  return new StoreError(
    "storage_unavailable",
    "The store lists the bucket out of order, or the same again and again. Check the endpoint, and " +
      "whether it lists as S3 does.",
  );
}
