import { s3Failure, stagedNotFound } from "../requests/failure.ts";
import { readBody } from "../requests/body-read.ts";
import { listKeys } from "../requests/listing.ts";
import {
  isLater,
  type Piece,
  type PieceChain,
  pieceChain,
  type PieceEntry,
} from "./piece-chain.ts";
import type { Writer } from "../layout.ts";
import type { Place } from "../place.ts";
import { putText } from "../requests/put-bytes.ts";
import { removeKeys } from "../remove.ts";

/** The pieces of a staged id, as they are listed. Throws `StoreError`s. */
async function listPieces(place: Place, id: string): Promise<PieceEntry[]> {
  const entries: PieceEntry[] = [];
  for await (const { key, sizeBytes } of listKeys(place, place.layout.stagingOf(id))) {
    const named = place.layout.stagingKey(key);
    if (named !== undefined) entries.push({ ...named, key, sizeBytes });
  }
  return entries;
}

/** The staged bytes of an id, or undefined where nothing of them is in the bucket. */
export async function chainOf(place: Place, id: string): Promise<PieceChain | undefined> {
  const entries = await listPieces(place, id);
  return entries.length === 0 ? undefined : pieceChain(entries);
}

/**
 * Removes the pieces of an id; none is success. `but` leaves them all where a writer later than
 * that one has gone on with them.
 */
export async function removePieces(place: Place, id: string, but?: Writer): Promise<void> {
  const entries = await listPieces(place, id);
  if (but !== undefined && entries.some(({ writer }) => isLater(writer, but))) return;
  const keys = entries.map(({ key }) => key);
  await removeKeys(place, keys, `discard the staged bytes ${id}`);
}

/** Marks where a writer begins, so that it is known to be the last one; or that nothing follows. */
export async function putMark(
  place: Place,
  id: string,
  writer: Writer,
  kind: "start" | "final",
): Promise<void> {
  const { layout } = place;
  const key =
    kind === "final" ? layout.finalMark(id, writer) : layout.piece(id, writer, writer.start, 0);
  try {
    await putText(place, key, "");
  } catch (error) {
    throw s3Failure(error, `stage bytes as ${id}`, id);
  }
}

/** Streams pieces one after the other. Throws `StoreError`s. */
export async function* readPieces(
  place: Place,
  id: string,
  pieces: readonly Piece[],
  options: { readonly signal?: AbortSignal | undefined; readonly reuseChunks?: boolean } = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const { signal, reuseChunks = false } = options;
  const buffers: Buffer[] = [];
  for (const { key, sizeBytes } of pieces) {
    const notFound = () => stagedNotFound(id);
    const source = { key, what: `read the staged bytes ${id}`, reference: id, notFound };
    yield* readBody(place, source, { start: 0, end: sizeBytes }, { signal, reuseChunks, buffers });
  }
}
