import { createHash, type Hash } from "node:crypto";
import { type Authorization, chunkSignature, sameHex } from "./authorization.ts";
import { sha256Hex } from "./canonical-request.ts";
import { S3Error } from "./errors.ts";

/** How a body in `aws-chunked` is to look. */
export interface ChunkedForm {
  /** The chunks carry signatures that follow from this one. */
  readonly signed: Authorization | undefined;
  /** A trailer follows the last chunk. */
  readonly trailer: boolean;
}

const lineLimit = 1024;
const smallestChunk = 8192;

type Expecting = "size" | "data" | "data-end" | "trailer" | "nothing";

/** Decodes a body in `aws-chunked`, and checks the signatures of its chunks as they end. */
export class AwsChunkedDecoder {
  /** The trailer's headers, by lower-case name. */
  readonly trailers = new Map<string, string>();
  readonly #form: ChunkedForm;
  #expecting: Expecting = "size";
  #line = "";
  #left = 0;
  #chunkSize = smallestChunk;
  #previous: string;
  #claimed = "";
  #hash: Hash | undefined;
  readonly #trailerLines: string[] = [];

  constructor(form: ChunkedForm) {
    this.#form = form;
    this.#previous = form.signed?.signature ?? "";
  }

  /** Takes bytes of the body, and returns what they hold of the payload. Throws `S3Error`. */
  push(bytes: Buffer): Buffer[] {
    const payload: Buffer[] = [];
    let offset = 0;
    while (offset < bytes.length) {
      if (this.#expecting === "data") {
        const piece = bytes.subarray(offset, offset + this.#left);
        this.#hash?.update(piece);
        this.#left -= piece.length;
        offset += piece.length;
        payload.push(piece);
        if (this.#left === 0) this.#endOfChunk();
        continue;
      }
      if (this.#expecting === "nothing") throw new S3Error("IncompleteBody");
      offset = this.#readLine(bytes, offset);
    }
    return payload;
  }

  /** The body has ended. Throws `S3Error` `IncompleteBody` where the last chunk did not come. */
  end(): void {
    if (this.#expecting === "nothing") return;
    throw new S3Error("IncompleteBody", {}, "The request body terminated unexpectedly");
  }

  #readLine(bytes: Buffer, offset: number): number {
    const feed = bytes.indexOf(10, offset);
    const end = feed === -1 ? bytes.length : feed + 1;
    this.#line += bytes.toString("latin1", offset, end);
    if (this.#line.length > lineLimit) throw new S3Error("IncompleteBody");
    if (feed !== -1) {
      if (!this.#line.endsWith("\r\n")) throw malformed();
      const line = this.#line.slice(0, -2);
      this.#line = "";
      this.#takeLine(line);
    }
    return end;
  }

  #takeLine(line: string): void {
    switch (this.#expecting) {
      case "size":
        this.#beginChunk(line);
        break;
      case "data-end":
        if (line !== "") throw malformed();
        this.#expecting = "size";
        break;
      case "trailer":
        if (line === "") this.#endOfTrailer();
        else this.#trailerLines.push(line);
        break;
      default:
        throw malformed();
    }
  }

  #beginChunk(line: string): void {
    const found = /^([0-9a-fA-F]{1,8})(?:;chunk-signature=([0-9a-f]{64}))?$/u.exec(line);
    const [, size, signature] = found ?? [];
    const signed = this.#form.signed !== undefined;
    if (size === undefined || signed !== (signature !== undefined)) throw malformed();
    this.#left = Number.parseInt(size, 16);
    if (this.#left > 0 && this.#chunkSize < smallestChunk) {
      throw new S3Error("InvalidChunkSizeError", { BadChunkSize: String(this.#chunkSize) });
    }
    this.#chunkSize = this.#left;
    this.#claimed = signature ?? "";
    this.#hash = signed ? createHash("sha256") : undefined;
    this.#expecting = "data";
    if (this.#left === 0) this.#endOfChunk();
  }

  #endOfChunk(): void {
    if (this.#form.signed !== undefined && this.#hash !== undefined) {
      const digest = this.#hash.digest("hex");
      const expected = chunkSignature(this.#form.signed, "PAYLOAD", this.#previous, digest);
      if (!sameHex(expected, this.#claimed)) throw new S3Error("SignatureDoesNotMatch");
      this.#previous = this.#claimed;
    }
    this.#expecting = this.#chunkSize === 0 ? "trailer" : "data-end";
  }

  #endOfTrailer(): void {
    const { signed, trailer } = this.#form;
    const lines = this.#trailerLines.map(splitTrailer);
    if (!trailer && lines.length > 0) throw new S3Error("MalformedTrailerError");
    if (signed !== undefined && trailer) {
      const last = lines.pop();
      if (last?.name !== "x-amz-trailer-signature") throw new S3Error("MalformedTrailerError");
      const canonical = lines.map(({ name, value }) => `${name}:${value}\n`).join("");
      const expected = chunkSignature(signed, "TRAILER", this.#previous, sha256Hex(canonical));
      if (!sameHex(expected, last.value)) throw new S3Error("SignatureDoesNotMatch");
    }
    for (const { name, value } of lines) this.trailers.set(name, value);
    this.#expecting = "nothing";
  }
}

function splitTrailer(line: string): { readonly name: string; readonly value: string } {
  const colon = line.indexOf(":");
  if (colon < 1) throw new S3Error("MalformedTrailerError");
  return { name: line.slice(0, colon).toLowerCase().trim(), value: line.slice(colon + 1).trim() };
}

function malformed(): S3Error {
  return new S3Error("IncompleteBody", {}, "The chunks of the body are not well-formed.");
}
