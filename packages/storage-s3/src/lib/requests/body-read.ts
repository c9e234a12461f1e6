import { Readable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import type { GetObjectCommandOutput } from "@aws-sdk/client-s3";
import { isStoreError, StoreError } from "@store/identity";
import { type ByteRange, resolveRange } from "@store/storage";
import { ChunkFiller } from "../bytes/chunk-filler.ts";
import { aborted, nameOf, retrialOf, s3Failure, withoutLength } from "./failure.ts";
import type { Key } from "../layout.ts";
import type { Place } from "../place.ts";
import { headOf, isAbsent } from "../stat.ts";

/** What is read, and how to name it. */
export interface BodySource {
  readonly key: Key;
  readonly what: string;
  readonly reference: string;
  readonly notFound: () => StoreError;
}

export interface BodyOptions {
  readonly signal: AbortSignal | undefined;
  readonly reuseChunks: boolean;
  /** What is filled again and again, where several bodies are read one after the other. */
  readonly buffers?: Buffer[];
}

const LONGEST_PAUSE_MS = 1000;

/**
 * Streams the range of what stands under a key; it must hold a byte at least, or begin at 0. A body
 * that breaks off is asked for again from the next byte, of the same version, as often in a row as
 * a request is tried. Ends well only with every byte that was asked for.
 */
export async function* readBody(
  place: Place,
  source: BodySource,
  range: ByteRange,
  options: BodyOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const reading = new BodyReading(place, source, range, options);
  try {
    yield* reading.chunks();
  } catch (error) {
    if (options.signal?.aborted && !isStoreError(error)) throw aborted(options.signal.reason);
    throw s3Failure(error, source.what, source.reference);
  }
}

class BodyReading {
  readonly #place: Place;
  readonly #source: BodySource;
  readonly #range: ByteRange;
  readonly #signal: AbortSignal | undefined;
  readonly #filler: ChunkFiller;
  #position: number;
  /** Known once the store has answered. */
  #end: number | undefined;
  #etag: string | undefined;
  #failures = 0;

  constructor(place: Place, source: BodySource, range: ByteRange, options: BodyOptions) {
    this.#place = place;
    this.#source = source;
    this.#range = range;
    this.#signal = options.signal;
    this.#filler = new ChunkFiller(options.reuseChunks, options.buffers);
    this.#position = range.start;
  }

  async *chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    while (this.#end === undefined || this.#position < this.#end) {
      const body = await this.#ask();
      if (body === undefined) return;
      try {
        yield* this.#take(body);
      } catch (error) {
        await this.#pauseAfter(error);
      } finally {
        // A body that is left before its end takes its connection with it.
        body.destroy();
      }
    }
    const rest = this.#filler.flush();
    if (rest !== undefined) yield rest;
  }

  async *#take(body: Readable): AsyncGenerator<Uint8Array, void, undefined> {
    const end = this.#end ?? 0;
    for await (const piece of body as AsyncIterable<Uint8Array>) {
      if (this.#position + piece.length > end) throw this.#longer();
      const leftBytes = end - this.#position;
      this.#position += piece.length;
      this.#failures = 0;
      for (const chunk of this.#filler.add(piece, leftBytes)) {
        yield chunk;
        this.#place.assertOpen();
        if (this.#signal?.aborted) throw aborted(this.#signal.reason);
      }
    }
    if (this.#position < end) throw new Error("the body ended before its length");
  }

  /** The body from the position on; undefined where there is nothing to deliver. */
  async #ask(): Promise<Readable | undefined> {
    try {
      const answer = await this.#place.attempt((client) => {
        const command = new this.#place.sdk.GetObjectCommand({
          Bucket: this.#place.bucket,
          Key: this.#source.key,
          ...this.#rangeInput(),
          ...(this.#etag === undefined ? {} : { IfMatch: this.#etag }),
        });
        return client.send(
          command,
          this.#signal === undefined ? {} : { abortSignal: this.#signal },
        );
      }, this.#signal);
      return this.#begin(answer);
    } catch (error) {
      if (isAbsent(error)) throw this.#source.notFound();
      if (nameOf(error) === "InvalidRange") return this.#outside();
      throw error;
    }
  }

  #rangeInput(): { Range?: string } {
    const last = this.#end ?? this.#range.end;
    if (this.#position === 0 && last === undefined) return {};
    return { Range: `bytes=${this.#position}-${last === undefined ? "" : last - 1}` };
  }

  #begin({ Body, ContentLength, ContentRange, ETag }: GetObjectCommandOutput): Readable {
    if (!(Body instanceof Readable)) throw new TypeError("The SDK gave no stream of Node's.");
    const part = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(ContentRange ?? "");
    const start = part === null ? 0 : Number(part[1]);
    const sizeBytes = part === null ? ContentLength : Number(part[3]);
    try {
      if (sizeBytes === undefined) throw withoutLength();
      if (start !== this.#position) throw this.#otherRange(start);
      this.#end ??= resolveRange(this.#range, sizeBytes).end;
    } catch (error) {
      Body.destroy();
      throw error;
    }
    this.#etag ??= ETag;
    return Body;
  }

  /** The range begins at the object's end or behind it. */
  async #outside(): Promise<undefined> {
    const { key, what, reference } = this.#source;
    const head = await headOf(this.#place, key, what, reference);
    if (head === undefined) throw this.#source.notFound();
    resolveRange(this.#range, head.sizeBytes);
    if (this.#position < head.sizeBytes) throw this.#otherRange(head.sizeBytes);
    return undefined;
  }

  async #pauseAfter(error: unknown): Promise<void> {
    if (this.#signal?.aborted) throw aborted(this.#signal.reason);
    this.#failures++;
    const isOver = retrialOf(error) !== "later" || this.#failures >= this.#place.settings.attempts;
    if (isOver) throw error;
    const bound = Math.min(LONGEST_PAUSE_MS, 25 * 2 ** this.#failures);
    await pause(Math.random() * bound);
  }

  #otherRange(start: number): StoreError {
    return new StoreError(
      "storage_unavailable",
      `Failed to ${this.#source.what}: asked for bytes from ${this.#position} on, the store ` +
        `answered with those from ${start} on. Does it know range requests?`,
      { context: { reference: this.#source.reference } },
    );
  }

  #longer(): StoreError {
    return new StoreError(
      "storage_unavailable",
      `Failed to ${this.#source.what}: the store sent more bytes than were asked for.`,
      { context: { reference: this.#source.reference } },
    );
  }
}
