import { createHasher, digestOf, StoreError, type ContentAddress } from "@store/identity";

import type { Caller } from "../http/caller.ts";
import { unansweredFailure } from "../http/failures.ts";
import { withIdleLimit } from "../http/streams.ts";
import type { AnswerHeaders } from "../http/transport.ts";
import type { ByteHeaders } from "./redirected-bytes.ts";

/** A half-open range of bytes; to the end where `end` is absent. */
export interface ByteRange {
  readonly start: number;
  readonly end?: number;
}

export interface ResolvedRange {
  readonly start: number;
  readonly end: number;
}

export interface DownloadOptions {
  readonly range?: ByteRange;
  readonly signal?: AbortSignal;
}

/** A download that has begun: what its headers say, and the bytes. */
export interface Download {
  readonly headers: AnswerHeaders;
  readonly address: ContentAddress;
  /** Of the whole object. */
  readonly sizeBytes: number;
  readonly range: ResolvedRange;
  /** `whole`: the stream fails before its end where the bytes are not the object's. */
  readonly verified: "whole" | "none";
  readonly body: AsyncIterable<Uint8Array>;
}

/** One request for the bytes, with its conditions. */
export interface Part {
  readonly headers: AnswerHeaders;
  readonly bytes: AsyncIterable<Uint8Array>;
  readonly address: ContentAddress;
  readonly sizeBytes: number;
  readonly range: ResolvedRange;
  /** Whether another place than the server gives the bytes. */
  readonly isRedirected: boolean;
}

/** Asks for the bytes with these headers. */
export type AskForPart = (headers: ByteHeaders) => Promise<Part>;

/**
 * Begins a download. A body that breaks off is resumed by range where it stopped, and a whole one
 * is held against its address whatever it was made of.
 */
export async function beginDownload(
  caller: Caller,
  what: string,
  ask: AskForPart,
  { range, signal }: DownloadOptions,
): Promise<Download> {
  assertRange(range);
  // HTTP cannot ask for no bytes: all are asked for, and left.
  const isEmpty = range !== undefined && range.start === range.end;
  const isPart = range !== undefined && !isEmpty && (range.start > 0 || range.end !== undefined);
  const first = await ask(isPart ? { range: rangeHeader(range) } : {});
  const { headers, address, sizeBytes } = first;
  const wanted = { start: range?.start ?? 0, end: range?.end ?? sizeBytes };
  if (wanted.end > sizeBytes || wanted.start > wanted.end) throw outside(wanted, sizeBytes);
  const verified = !isPart && !isEmpty ? "whole" : "none";
  const joined = joinedParts(caller, what, ask, first, wanted, signal);
  const body =
    verified === "whole"
      ? verifiedBytes(address, joined, () => {
          // The server knows other copies, and learns of this one.
          if (first.isRedirected) caller.readsElsewhere = false;
        })
      : joined;
  return { headers, address, sizeBytes, range: wanted, verified, body };
}

function rangeHeader({ start, end }: ByteRange): string {
  return `bytes=${start}-${end === undefined ? "" : end - 1}`;
}

/** The bytes that are wanted, of as many answers as it takes. */
async function* joinedParts(
  caller: Caller,
  what: string,
  ask: AskForPart,
  first: Part,
  wanted: ResolvedRange,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const attempts = caller.retries.begin(what, signal);
  const { idleMs } = caller;
  let { start } = wanted;
  for (let part: Part = first; ;) {
    try {
      const late = () => new Error(`nothing came for ${idleMs} ms`);
      for await (const chunk of cut(withIdleLimit(part.bytes, idleMs, late), part, start, wanted)) {
        start += chunk.byteLength;
        attempts.progressed();
        yield chunk;
      }
      if (start === wanted.end) return;
      throw new Error(`the bytes end at ${start} of ${wanted.end}`);
    } catch (error) {
      await attempts.pause(unansweredFailure(error, what, signal));
    }
    part = await resumed(ask, first, { start, end: wanted.end });
  }
}

/** Asks for the rest, of the very same object. */
async function resumed(ask: AskForPart, first: Part, rest: ResolvedRange): Promise<Part> {
  const range = rangeHeader(rest);
  // A condition would keep the server from leading to the other place again.
  const part = await ask(first.isRedirected ? { range } : { range, "if-range": tagOf(first) });
  if (part.address === first.address && part.range.start <= rest.start) return part;
  throw new StoreError("source_changed", "The file was replaced while it was being read.", {
    context: { expected: first.address, actual: part.address },
  });
}

function tagOf({ address }: Part): string {
  return `"${address}"`;
}

/** What is wanted of an answer, which may hold more: a server need not heed ranges. */
async function* cut(
  bytes: AsyncIterable<Uint8Array>,
  { range }: Part,
  start: number,
  { end }: ResolvedRange,
): AsyncGenerator<Uint8Array> {
  let position = range.start;
  if (start === end) return;
  for await (const chunk of bytes) {
    const from = Math.max(0, start - position);
    const to = Math.min(chunk.byteLength, end - position);
    position += chunk.byteLength;
    if (to > from) yield to - from === chunk.byteLength ? chunk : chunk.subarray(from, to);
    if (position >= end) {
      // More than the object has would be left unread otherwise.
      if (position > end && end === range.end) throw tooMany(end);
      if (position > end) return;
    }
  }
}

function tooMany(end: number): StoreError {
  return new StoreError("object_corrupt", `The server sends more than ${end} bytes.`, {
    context: { expected: end },
  });
}

/** Gives the last chunk only once all have the digest. */
async function* verifiedBytes(
  address: ContentAddress,
  source: AsyncIterable<Uint8Array>,
  onDamage: () => void,
): AsyncGenerator<Uint8Array> {
  const expected = digestOf(address);
  const hasher = await createHasher(expected.algorithm);
  let held: Uint8Array | undefined;
  for await (const chunk of source) {
    hasher.update(chunk);
    if (held !== undefined) yield held;
    held = chunk;
  }
  const actual = hasher.digest();
  if (!actual.equals(expected)) {
    onDamage();
    throw new StoreError("object_corrupt", `The bytes that came are not those of ${address}.`, {
      context: { expected: address, actual: String(actual) },
    });
  }
  if (held !== undefined) yield held;
}

function assertRange(range: ByteRange | undefined): void {
  if (range === undefined) return;
  const { start, end = start } = range;
  const isRight = Number.isSafeInteger(start) && Number.isSafeInteger(end);
  if (isRight && start >= 0 && end >= start) return;
  throw new StoreError("invalid_range", `${start} to ${end} (exclusive) is no range of bytes.`, {
    context: { actual: `${start}-${end}` },
  });
}

function outside({ start, end }: ResolvedRange, sizeBytes: number): StoreError {
  return new StoreError(
    "invalid_range",
    `The byte range ${start} to ${end} (exclusive) does not lie within the ${sizeBytes} bytes.`,
    { context: { expected: `0-${sizeBytes}`, actual: `${start}-${end}` } },
  );
}
