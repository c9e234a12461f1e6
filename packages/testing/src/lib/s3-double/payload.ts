import type { Authorization } from "./authorization.ts";
import { AwsChunkedDecoder } from "./aws-chunked.ts";
import { invalidArgument, S3Error } from "./errors.ts";
import { header, type S3Request } from "./request.ts";

/** A body as its head announces it. */
export interface PayloadForm {
  /** The payload's bytes, without the framing of chunks. */
  readonly size: number;
  /** The SHA-256 that the payload must have, as hex. */
  readonly sha256: string | undefined;
  readonly decoder: AwsChunkedDecoder | undefined;
}

const chunkedForms: Readonly<Record<string, { signed: boolean; trailer: boolean }>> = {
  "STREAMING-AWS4-HMAC-SHA256-PAYLOAD": { signed: true, trailer: false },
  "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER": { signed: true, trailer: true },
  "STREAMING-UNSIGNED-PAYLOAD-TRAILER": { signed: false, trailer: true },
};

/** Reads `x-amz-content-sha256` and the lengths. Throws `S3Error`. */
export function payloadForm(request: S3Request, authorization: Authorization): PayloadForm {
  const { payloadHash } = authorization;
  const chunked = chunkedForms[payloadHash];
  if (chunked !== undefined) {
    const { signed, trailer } = chunked;
    const decoder = new AwsChunkedDecoder({ signed: signed ? authorization : undefined, trailer });
    return { size: lengthOf(request, "x-amz-decoded-content-length"), sha256: undefined, decoder };
  }
  const bare = payloadHash === "UNSIGNED-PAYLOAD";
  if (!bare && !/^[0-9a-f]{64}$/u.test(payloadHash)) {
    throw invalidArgument(
      "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, " +
        `${Object.keys(chunkedForms).join(", ")} or a valid sha256 value.`,
      "x-amz-content-sha256",
      payloadHash,
    );
  }
  const size = lengthOf(request, "content-length");
  return { size, sha256: bare ? undefined : payloadHash, decoder: undefined };
}

function lengthOf(request: S3Request, name: string): number {
  const text = header(request, name);
  if (text === undefined) {
    const mayLack = request.method !== "PUT" && request.headers["transfer-encoding"] === undefined;
    if (mayLack && name === "content-length") return 0;
    throw new S3Error("MissingContentLength");
  }
  if (!/^\d{1,15}$/u.test(text)) throw invalidArgument(`${name} is no number`, name, text);
  return Number(text);
}

/** The payload, piece by piece. Throws `S3Error` where it is longer or shorter than announced. */
export async function* payloadChunks(
  form: PayloadForm,
  source: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer> {
  let seen = 0;
  for await (const bytes of source) {
    for (const piece of form.decoder === undefined ? [bytes] : form.decoder.push(bytes)) {
      seen += piece.length;
      if (seen > form.size) throw new S3Error("IncompleteBody");
      yield piece;
    }
  }
  form.decoder?.end();
  if (seen !== form.size) throw new S3Error("IncompleteBody");
}
