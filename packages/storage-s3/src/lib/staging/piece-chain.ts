import type { Key, Writer } from "../layout.ts";

/** A piece of staged bytes: an object that holds those from `offset` on. */
export interface Piece {
  readonly key: Key;
  readonly offset: number;
  readonly sizeBytes: number;
}

/** A piece as it is listed, or a mark that the bytes are final (without an offset). */
export interface PieceEntry {
  readonly key: Key;
  readonly writer: Writer;
  readonly offset: number | undefined;
  readonly sizeBytes: number;
}

/** The staged bytes as the pieces in the bucket make them up. */
export interface PieceChain {
  /** In order and without a gap, from offset 0. */
  readonly pieces: readonly Piece[];
  readonly sizeBytes: number;
  readonly isFinal: boolean;
  /** Who wrote last; undefined where there is nothing. */
  readonly lastWriter: Writer | undefined;
}

/**
 * What is staged, from a listing of its pieces. A writer goes on where those before had come to, so
 * that what one of them put there later, and reaches beyond that point, is void. Within one writer
 * a piece that begins where an earlier piece began takes its place, and that of those after it: it
 * holds their bytes and more. What stands behind a gap was on its way when its writer died.
 */
export function pieceChain(entries: readonly PieceEntry[]): PieceChain {
  const byWriter = Map.groupBy(entries, ({ writer }) => nameOf(writer));
  const writers = [...byWriter.values()].toSorted(([a], [b]) => compare(a?.writer, b?.writer));
  const pieces: Piece[] = [];
  for (const [index, written] of writers.entries()) {
    const later = writers.slice(index + 1).map(([first]) => first?.writer.start ?? 0);
    append(pieces, written, Math.min(...later));
  }
  const last = writers.at(-1) ?? [];
  return {
    pieces,
    sizeBytes: endOf(pieces),
    isFinal: last.some(({ offset }) => offset === undefined),
    lastWriter: last[0]?.writer,
  };
}

/** Which of two writers is the later one; of two that began at once, either, but always the same. */
export function isLater(one: Writer, other: Writer): boolean {
  return compare(one, other) > 0;
}

/** Adds the pieces of one writer that end at `limit` at the latest. */
function append(pieces: Piece[], written: readonly PieceEntry[], limit: number): void {
  const inOrder = written.toSorted(byOffsetAndSize);
  for (const { key, offset, sizeBytes } of inOrder) {
    if (offset === undefined || sizeBytes === 0 || offset + sizeBytes > limit) continue;
    if (offset > endOf(pieces)) return;
    if (cutAt(pieces, offset)) pieces.push({ key, offset, sizeBytes });
  }
}

function byOffsetAndSize(one: PieceEntry, other: PieceEntry): number {
  return (one.offset ?? 0) - (other.offset ?? 0) || one.sizeBytes - other.sizeBytes;
}

/** Takes away what begins at `offset` or after it, if a piece begins or ends there. */
function cutAt(pieces: Piece[], offset: number): boolean {
  if (offset === endOf(pieces)) return true;
  const index = pieces.findIndex((piece) => piece.offset === offset);
  if (index === -1) return false;
  pieces.splice(index);
  return true;
}

function endOf(pieces: readonly Piece[]): number {
  const last = pieces.at(-1);
  return last === undefined ? 0 : last.offset + last.sizeBytes;
}

function nameOf({ generation, random, start }: Writer): string {
  return `${generation}.${random}.${start}`;
}

function compare(one: Writer | undefined, other: Writer | undefined): number {
  if (one === undefined || other === undefined) return 0;
  if (one.generation !== other.generation) return one.generation - other.generation;
  return one.random < other.random ? -1 : Number(one.random > other.random);
}
