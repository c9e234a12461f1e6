import {
  contentAddress,
  Digest,
  isContentAddress,
  type ContentAddress,
  type StoreError,
} from "@store/identity";

import type { CallAnswer } from "../http/call-types.ts";
import { wrongAnswer } from "../http/failures.ts";
import type { AnswerHeaders } from "../http/transport.ts";
import type { Part, ResolvedRange } from "./download.ts";
import type { AnsweredBytes } from "./redirected-bytes.ts";

/** What the headers of a download say of the object. */
export interface ObjectInfo {
  /** `blake3:<64 hex>` */
  readonly address: ContentAddress;
  /** The same bytes by their other digest: `sha256:<64 hex>`. */
  readonly sha256: ContentAddress;
  readonly sizeBytes: number;
}

type Head = Pick<CallAnswer<never>, "headers" | "status">;

/** @throws {StoreError} `internal` where a header is missing or wrong */
export function objectOf({ headers, status }: Head, what: string): ObjectInfo {
  const sizeBytes = status === 206 ? contentRange(headers, what).sizeBytes : contentLength(headers);
  if (sizeBytes === undefined) throw wrongHeader(what, "content-length");
  return { address: addressOf(headers, what), sha256: sha256Of(headers, what), sizeBytes };
}

/** An answer as a part of an object. */
export function partOf(answer: AnsweredBytes, what: string): Part {
  const { headers, status, bytes, isRedirected } = answer;
  const address = addressOf(headers, what);
  const part = { headers, bytes, address, isRedirected };
  if (status === 206) return { ...part, ...contentRange(headers, what) };
  const sizeBytes = contentLength(headers);
  if (sizeBytes === undefined) throw wrongHeader(what, "content-length");
  return { ...part, sizeBytes, range: { start: 0, end: sizeBytes } };
}

/** RFC 9110 §8.8.3: an entity tag is quoted. */
function addressOf(headers: AnswerHeaders, what: string): ContentAddress {
  const address = headers.get("etag")?.slice(1, -1) ?? "";
  if (!isContentAddress(address)) throw wrongHeader(what, "etag");
  return address;
}

/** RFC 9530 §2: a dictionary of byte sequences. */
function sha256Of(headers: AnswerHeaders, what: string): ContentAddress {
  const found = /(?:^|[\s,])sha-256=:([A-Za-z0-9+/=]{44}):/.exec(headers.get("repr-digest") ?? "");
  if (found?.[1] === undefined) throw wrongHeader(what, "repr-digest");
  const bytes = Uint8Array.from(atob(found[1]), (letter) => letter.charCodeAt(0));
  return contentAddress(Digest.of("sha256", bytes));
}

function contentLength(headers: AnswerHeaders): number | undefined {
  const text = headers.get("content-length") ?? "";
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** RFC 9110 §14.4: the last byte is named, not the end. */
function contentRange(
  headers: AnswerHeaders,
  what: string,
): { readonly range: ResolvedRange; readonly sizeBytes: number } {
  const found = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/.exec(
    headers.get("content-range") ?? "",
  );
  if (found === null) throw wrongHeader(what, "content-range");
  const [start, last, sizeBytes] = [Number(found[1]), Number(found[2]), Number(found[3])];
  if (start > last || last >= sizeBytes) throw wrongHeader(what, "content-range");
  return { range: { start, end: last + 1 }, sizeBytes };
}

function wrongHeader(what: string, name: string): StoreError {
  return wrongAnswer(what, `the header ${name} is missing or wrong`);
}
