import { crc32 } from "./crc32.ts";
import { Deflater } from "./deflate.ts";
import { assertEntry, permissions } from "./entry.ts";
import type { ArchiveEntry } from "./entry.ts";
import {
  centralHeader,
  dataDescriptor,
  endOfCentralDirectory,
  localHeader,
} from "./zip-records.ts";
import type { ZipEntryFacts } from "./zip-records.ts";
import type { ArchiveWork } from "./work.ts";

/**
 * A zip whose entries are all DEFLATE with a data descriptor: the one form of a stream written in
 * one pass that every reader takes. (Without compression, a reader that does not begin at the
 * central directory could not find the end of an entry.) The central directory is all that is
 * kept meanwhile: about 50 bytes and the path for each entry.
 */
export async function* writeZip(
  entries: AsyncIterable<ArchiveEntry> | Iterable<ArchiveEntry>,
  work: ArchiveWork,
): AsyncGenerator<Uint8Array, void, undefined> {
  const encoder = new TextEncoder();
  const deflater = new Deflater(work);
  const directory = new RecordList();
  let offset = 0;
  let count = 0;
  for await (const entry of work.each(entries)) {
    assertEntry(entry);
    const name = encoder.encode(entry.path);
    const header = localHeader(name, entry.sizeBytes);
    yield header;

    let crc = 0;
    async function* observed(): AsyncGenerator<Uint8Array, void, undefined> {
      for await (const chunk of work.content(entry)) {
        crc = crc32(chunk, crc);
        yield chunk;
      }
    }
    let compressedBytes = 0;
    for await (const piece of deflater.stream(observed())) {
      compressedBytes += piece.length;
      yield piece;
    }

    const { sizeBytes } = entry;
    const mode = permissions(entry);
    const facts: ZipEntryFacts = { name, mode, crc, compressedBytes, sizeBytes, offset };
    const descriptor = dataDescriptor(facts);
    yield descriptor;
    directory.append(centralHeader(facts));
    offset += header.length + compressedBytes + descriptor.length;
    count += 1;
    await work.breathe();
  }
  yield* directory.slabs();
  yield endOfCentralDirectory({ entries: count, sizeBytes: directory.sizeBytes, offset });
}

const slabBytes = 64 * 1024;

/** Keeps many small records in few large arrays: a hundred thousand small ones cost far more. */
class RecordList {
  readonly #full: Uint8Array[] = [];
  #slab = new Uint8Array(slabBytes);
  #heldBytes = 0;

  append(record: Uint8Array): void {
    if (this.#heldBytes + record.length > slabBytes) {
      this.#full.push(this.#slab.slice(0, this.#heldBytes));
      this.#heldBytes = 0;
    }
    this.#slab.set(record, this.#heldBytes);
    this.#heldBytes += record.length;
  }

  get sizeBytes(): number {
    return this.#full.reduce((sum, slab) => sum + slab.length, this.#heldBytes);
  }

  *slabs(): Generator<Uint8Array, void, undefined> {
    yield* this.#full;
    yield this.#slab.subarray(0, this.#heldBytes);
  }
}
