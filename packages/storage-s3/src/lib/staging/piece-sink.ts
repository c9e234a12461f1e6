import type { ContentAddress } from "@store/identity";
import type { StagedReadOptions } from "@store/storage";
import { s3Failure } from "../requests/failure.ts";
import { Flight } from "./flight.ts";
import type { PartBytes } from "../bytes/held-bytes.ts";
import { newWriter, type Writer } from "../layout.ts";
import { MultipartUpload } from "./multipart.ts";
import { HELD_BYTES, leastPartBytesAt } from "./part-sizes.ts";
import { type PartTarget, PartWriter } from "./part-writer.ts";
import type { Piece, PieceChain } from "./piece-chain.ts";
import { putMark, readPieces, removePieces } from "./pieces.ts";
import type { Place } from "../place.ts";
import { assertSameSize, existingBytes, putObject } from "./put-object.ts";
import { putBytes } from "../requests/put-bytes.ts";
import type { Sink } from "./sink.ts";

/** Small pieces in a row that may wait to be joined. */
const MOST_SMALL_PIECES = 64;
/** Copies that the store makes at once for one commit. */
const PARALLEL_COPIES = 8;

/** What staged bytes are named, and how large their parts and what class their object shall be. */
export interface Staging {
  readonly id: string;
  readonly storageClass: string | undefined;
  readonly firstBytes: number;
}

/**
 * Bytes in pieces below `staging/`, each an object that never changes its meaning: any process can
 * go on with them, and one that was thought dead harms nobody. The commit has the store copy them
 * into one. All pieces but the last few are large enough to be parts; small ones, of senders who
 * have a little made durable at a time, are joined as soon as they make up a part.
 */
export class PieceSink implements Sink, PartTarget {
  readonly #place: Place;
  readonly #staging: Staging;
  readonly #writer: Writer;
  readonly #parts: PartWriter;
  readonly #pieces: Map<number, Piece>;
  #hasMark: boolean;
  #copying: MultipartUpload | undefined;

  constructor(place: Place, staging: Staging, chain?: PieceChain) {
    const offset = chain?.sizeBytes ?? 0;
    const pieces = chain?.pieces ?? [];
    this.#place = place;
    this.#staging = staging;
    this.#writer = newWriter((chain?.lastWriter?.generation ?? 0) + 1, offset);
    this.#pieces = new Map(pieces.map((piece) => [piece.offset, piece]));
    const { firstBytes } = staging;
    this.#parts = new PartWriter(place, this, { index: pieces.length, offset, firstBytes });
    this.#hasMark = pieces.length > 0;
  }

  get sizeBytes(): number {
    return this.#parts.sizeBytes;
  }

  readonly isInBucket = true;

  /** Tells other processes that the bytes are this writer's now. */
  async claim(): Promise<void> {
    await putMark(this.#place, this.#staging.id, this.#writer, "start");
    this.#hasMark = true;
  }

  async write(chunk: Uint8Array): Promise<void> {
    const parts = this.#parts;
    const small = this.#smallPieces();
    const joinedBytes = bytesOf(small) + parts.pendingBytes + chunk.length;
    if (small.length > 0 && joinedBytes >= parts.leastBytes) await this.#join(small);
    await parts.write(chunk);
  }

  async send(_index: number, offset: number, bytes: PartBytes): Promise<void> {
    const { id } = this.#staging;
    const key = this.#place.layout.piece(id, this.#writer, offset, bytes.sizeBytes);
    try {
      await putBytes(this.#place, key, bytes);
    } catch (error) {
      throw s3Failure(error, `stage bytes as ${id}`, id);
    }
    this.#pieces.set(offset, { key, offset, sizeBytes: bytes.sizeBytes });
  }

  async sync(): Promise<number> {
    await this.#parts.landed();
    const small = this.#smallPieces();
    const joinedBytes = bytesOf(small) + this.#parts.pendingBytes;
    const isPart = joinedBytes >= this.#parts.leastBytes;
    const isOver = small.length >= MOST_SMALL_PIECES;
    if (small.length > 0 && this.#parts.pendingBytes > 0 && (isPart || isOver)) {
      await this.#join(small);
    }
    await this.#parts.finish();
    if (this.#pieces.size === 0 && !this.#hasMark) await this.claim();
    return this.sizeBytes;
  }

  /** Makes the bytes durable and final. */
  async finalize(): Promise<void> {
    await this.sync();
    await putMark(this.#place, this.#staging.id, this.#writer, "final");
  }

  read(options: StagedReadOptions = {}): AsyncIterable<Uint8Array> {
    return readPieces(this.#place, this.#staging.id, this.#inOrder(), options);
  }

  async commit(address: ContentAddress): Promise<boolean> {
    await this.#parts.landed();
    // Of what the store copies, only the last part may be small.
    const small = this.#smallPieces();
    if (small.length > 1 || (small.length > 0 && this.#parts.pendingBytes > 0)) {
      await this.#join(small);
    }
    await this.#parts.finish();
    const existed = await this.#publish(address);
    // What is left of them a sweep finds.
    await this.#removePieces().catch(() => undefined);
    return existed;
  }

  async discard(): Promise<void> {
    await this.#copying?.abort();
    await this.#removePieces();
  }

  async release(): Promise<void> {
    await this.#parts.end();
  }

  async #publish(address: ContentAddress): Promise<boolean> {
    const existing = await existingBytes(this.#place, address);
    if (existing !== undefined) {
      assertSameSize(address, existing, this.sizeBytes);
      await this.#copying?.abort().catch(() => undefined);
      return true;
    }
    return this.sizeBytes <= HELD_BYTES ? this.#put(address) : this.#copy(address);
  }

  /** Few bytes are put as those are that were never staged. */
  async #put(address: ContentAddress): Promise<boolean> {
    const bytes = this.#place.newSmall();
    try {
      for await (const chunk of this.read({ reuseChunks: true })) await bytes.append(chunk);
      return await putObject(this.#place, address, bytes, this.#staging.storageClass);
    } finally {
      await bytes.release();
    }
  }

  async #copy(address: ContentAddress): Promise<boolean> {
    const { id, storageClass } = this.#staging;
    if (this.#copying !== undefined && this.#copying.address !== address) {
      await this.#copying.abort();
      this.#copying = undefined;
    }
    this.#copying ??= await MultipartUpload.begin(this.#place, { id, address }, storageClass);
    const upload = this.#copying;
    const flight = new Flight();
    try {
      for (const [index, piece] of this.#inOrder().entries()) {
        if (upload.hasPart(index)) continue;
        await flight.room(PARALLEL_COPIES);
        flight.launch(() => upload.copy(index, piece));
      }
      await flight.landed();
    } finally {
      await flight.settle();
    }
    const existed = await upload.complete();
    this.#copying = undefined;
    return existed;
  }

  /** Takes the small pieces at the end into the part that is being filled. */
  async #join(small: readonly Piece[]): Promise<void> {
    await this.#parts.landed();
    const bytes = readPieces(this.#place, this.#staging.id, small);
    await this.#parts.prepend(bytes, bytesOf(small), small.length);
    for (const { offset } of small) this.#pieces.delete(offset);
  }

  /** The pieces at the end that are too small to be parts in the middle. */
  #smallPieces(): Piece[] {
    const pieces = this.#inOrder();
    const isLarge = ({ sizeBytes }: Piece, index: number) =>
      sizeBytes >= leastPartBytesAt(index, this.#staging.firstBytes);
    return pieces.slice(pieces.findLastIndex(isLarge) + 1);
  }

  #inOrder(): Piece[] {
    return [...this.#pieces.values()].toSorted((one, other) => one.offset - other.offset);
  }

  async #removePieces(): Promise<void> {
    await removePieces(this.#place, this.#staging.id, this.#writer);
  }
}

function bytesOf(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}
