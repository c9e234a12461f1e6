import { StoreError, type ContentAddress } from "@store/identity";
import type { ResolvedRange } from "@store/storage";

import { attachmentHeaders, safeMediaType } from "./attachment.ts";
import { checkConditions, rangeCounts } from "./conditions.ts";
import { formatDigests } from "./digest-headers.ts";
import type { BytesReply, Exchange } from "./handler.ts";
import { multipartRanges } from "./multipart-ranges.ts";
import { contentRange, selectRanges, unsatisfiedRange } from "./ranges.ts";
import { RefusedRequest } from "./refused-request.ts";

/** An object on its way to a client, under whatever name. */
export interface Download {
  readonly address: ContentAddress;
  readonly sha256: ContentAddress;
  readonly sizeBytes: number;
  readonly mediaType?: string;
  /** Of a file in a package. */
  readonly executable?: boolean;
  readonly fileName: string;
  readonly cacheControl: string;
  /** All of it; opened when the first chunk is asked for. */
  readonly whole: AsyncIterable<Uint8Array>;
  /** A part of it; opened when the first chunk is asked for. */
  open(range: ResolvedRange): AsyncIterable<Uint8Array>;
  /** The smallest read that is redirected to where the bytes are; absent: none is. */
  readonly redirectBytes: number | undefined;
  /** A URL by which the bytes can be read; undefined where there is none now. */
  presign(answer: PresignedAnswer): Promise<{ readonly url: string } | undefined>;
}

/** What the place shall say of the bytes. */
interface PresignedAnswer {
  readonly mediaType: string;
  readonly disposition: string;
}

/**
 * Answers a download with what the request's conditions and ranges ask for. `HEAD` gets the
 * headers of the whole, since only `GET` has ranges (RFC 9110 §14.2).
 *
 * @throws {StoreError} `precondition_failed` where `If-Match` names other bytes
 * @throws {RefusedRequest} `invalid_range` where no range lies within the bytes
 */
export async function answerDownload(
  exchange: Pick<Exchange, "header" | "isHead">,
  download: Download,
): Promise<BytesReply> {
  const { address, sizeBytes, whole } = download;
  const entityTag = `"${address}"`;
  const caching = { etag: entityTag, "cache-control": download.cacheControl };
  if (checkConditions(exchange.header, entityTag) === "not_modified") {
    return { status: 304, headers: caching };
  }
  const ranged = !exchange.isHead && rangeCounts(exchange.header, entityTag);
  const range = ranged ? exchange.header("range") : undefined;
  const ranges = selectRanges(range, sizeBytes);
  if (ranges === "unsatisfiable") throw outsideOf(range, sizeBytes);
  const digests = formatDigests(download.sha256, address);
  const headers = {
    ...caching,
    "accept-ranges": "bytes",
    "repr-digest": digests,
    ...attachmentHeaders(download.fileName),
    ...describe(download),
  };
  if (isRedirected(exchange, download, ranges)) {
    const redirect = await redirectTo(download, headers);
    if (redirect !== undefined) return redirect;
  }
  if (ranges !== "whole") return partial(download, ranges, headers);
  return {
    status: 200,
    headers: {
      ...headers,
      "content-type": safeMediaType(download.mediaType),
      "content-length": String(sizeBytes),
      "content-digest": digests,
      "store-verified": "whole",
    },
    bytes: whole,
  };
}

/** What would be lost on the way, since the place has entity tags of its own (RFC 9110 §13). */
const conditions = [
  "if-match",
  "if-none-match",
  "if-range",
  "if-modified-since",
  "if-unmodified-since",
];

/** Whether the bytes may be read where they are; no place answers several ranges at once. */
function isRedirected(
  { header, isHead }: Pick<Exchange, "header" | "isHead">,
  { redirectBytes, sizeBytes }: Download,
  ranges: readonly ResolvedRange[] | "whole",
): boolean {
  if (redirectBytes === undefined || isHead || sizeBytes === 0) return false;
  if (header("store-redirect") === "never") return false;
  if (conditions.some((name) => header(name) !== undefined)) return false;
  const [range, ...others] = ranges === "whole" ? [{ start: 0, end: sizeBytes }] : ranges;
  if (range === undefined || others.length > 0) return false;
  return range.end - range.start >= redirectBytes;
}

/** RFC 9110 §15.4.8. The URL is a secret while it lasts, so that nobody keeps it. */
async function redirectTo(
  download: Download,
  headers: Readonly<Record<string, string>>,
): Promise<BytesReply | undefined> {
  const presigned = await download.presign({
    mediaType: safeMediaType(download.mediaType),
    disposition: headers["content-disposition"] ?? "attachment",
  });
  if (presigned === undefined) return undefined;
  return {
    status: 307,
    headers: { ...headers, "cache-control": "no-store", location: presigned.url },
  };
}

/** What is known of a file beside its bytes, for those who do not ask for JSON. */
function describe({ mediaType, executable }: Download): Record<string, string> {
  return {
    ...(mediaType === undefined ? {} : { "store-media-type": mediaType }),
    ...(executable === undefined ? {} : { "store-executable": String(executable) }),
  };
}

function partial(
  download: Download,
  ranges: readonly ResolvedRange[],
  headers: Readonly<Record<string, string>>,
): BytesReply {
  const { sizeBytes } = download;
  const mediaType = safeMediaType(download.mediaType);
  // Only a read of the whole is verified, so that is how the whole is read.
  const isAll = ({ start, end }: ResolvedRange) => end - start === sizeBytes;
  const open = (range: ResolvedRange) => (isAll(range) ? download.whole : download.open(range));
  const verified = { "store-verified": ranges.every(isAll) ? "whole" : "none" };
  const [first, ...others] = ranges;
  if (first !== undefined && others.length === 0) {
    return {
      status: 206,
      headers: {
        ...headers,
        ...verified,
        "content-type": mediaType,
        "content-length": String(first.end - first.start),
        "content-range": contentRange(first, sizeBytes),
      },
      bytes: open(first),
    };
  }
  const parts = multipartRanges({ ranges, sizeBytes, mediaType, open });
  return {
    status: 206,
    headers: {
      ...headers,
      ...verified,
      "content-type": parts.mediaType,
      "content-length": String(parts.sizeBytes),
    },
    bytes: parts.bytes,
  };
}

/** RFC 9110 §15.5.17. */
function outsideOf(range: string | undefined, sizeBytes: number): RefusedRequest {
  const error = new StoreError(
    "invalid_range",
    `None of the ranges begins within the ${sizeBytes} bytes; ask for less, or for the whole.`,
    { context: { actual: range?.slice(0, 200) ?? null, limit: sizeBytes } },
  );
  const headers = { "content-range": unsatisfiedRange(sizeBytes), "accept-ranges": "bytes" };
  return new RefusedRequest(error, undefined, headers);
}
