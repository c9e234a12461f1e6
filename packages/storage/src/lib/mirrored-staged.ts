import { type ContentAddress, isStoreError } from "@store/identity";
import type { Staged, StagedReadOptions, StorageReceipt } from "./contract.ts";
import { assertNotReadBack, joinedStagedRead } from "./staged-read.ts";

/** Staged bytes in several places at once. */
export class MirroredStaged implements Staged {
  readonly id: string;
  readonly #parts: readonly MirroredPart[];
  #sizeBytes: number;
  #readBack = false;

  constructor(parts: readonly Staged[]) {
    this.id = formatMirroredId(new Map(parts.map(({ id }, index) => [index, id])));
    // After a resume one place may have kept more than another: it then waits for the rest.
    this.#sizeBytes = Math.min(...parts.map(({ sizeBytes }) => sizeBytes));
    this.#parts = parts.map((staged) => ({
      staged,
      aheadBytes: staged.sizeBytes - this.#sizeBytes,
    }));
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  async write(chunk: Uint8Array): Promise<void> {
    assertNotReadBack(this.#readBack, this.id);
    await this.#inAll(async (part) => {
      const known = Math.min(part.aheadBytes, chunk.length);
      part.aheadBytes -= known;
      if (known < chunk.length || chunk.length === 0) {
        await part.staged.write(chunk.subarray(known));
      }
    });
    this.#sizeBytes += chunk.length;
  }

  async sync(): Promise<number> {
    assertNotReadBack(this.#readBack, this.id);
    const offsets = await this.#inAll(({ staged }) => staged.sync());
    return Math.min(this.#sizeBytes, ...offsets);
  }

  /** Reads the first place, and goes on with the next where it fails. */
  async *read(options: StagedReadOptions = {}): AsyncGenerator<Uint8Array> {
    if (!this.#readBack) await this.sync();
    this.#readBack = true;
    const [first, ...rest] = this.#parts.map(({ staged }) => staged);
    if (first === undefined) return;
    const chunks = joinedStagedRead(first, options, async (failure) => {
      const next = isStoreError(failure, "aborted") ? undefined : rest.shift();
      if (next === undefined) throw failure;
      return next;
    });
    // What a place has ahead of the others was not accepted by all.
    let left = this.#sizeBytes;
    if (left === 0) return;
    for await (const chunk of chunks) {
      yield chunk.subarray(0, left);
      left -= chunk.length;
      if (left <= 0) return;
    }
  }

  async commit(address: ContentAddress): Promise<StorageReceipt> {
    const receipts = await this.#inAll(({ staged }) => staged.commit(address));
    const existed = receipts.every((receipt) => receipt.existed);
    const [retrieval] = receipts.map((receipt) => receipt.retrieval);
    // Where one of them can be read at once, so can the object.
    const isArchived = receipts.every((receipt) => receipt.retrieval !== undefined);
    const receipt = { address, sizeBytes: this.#sizeBytes, existed };
    return isArchived && retrieval !== undefined ? { ...receipt, retrieval } : receipt;
  }

  async abort(): Promise<void> {
    await this.#inAll(({ staged }) => staged.abort());
  }

  /** Waits for all, since calls on one staged thing come one after the other. */
  async #inAll<T>(call: (part: MirroredPart) => Promise<T>): Promise<T[]> {
    const calls = this.#parts.map(call);
    await Promise.allSettled(calls);
    return Promise.all(calls);
  }
}

interface MirroredPart {
  readonly staged: Staged;
  /** Bytes that this place has already of what is still to be written. */
  aheadBytes: number;
}

/** Joins the ids of parts: `0:<id>,1:<id>`, each id percent-encoded. */
export function formatMirroredId(parts: ReadonlyMap<number, string>): string {
  return [...parts].map(([index, id]) => `${index}:${encodeURIComponent(id)}`).join(",");
}

/** The ids of parts by the index of their backend; none for what is no such id. */
export function parseMirroredId(id: string, backends: number): ReadonlyMap<number, string> {
  const parts = new Map<number, string>();
  for (const part of id.split(",")) {
    const match = /^(?<index>\d{1,3}):(?<encoded>(?:[^%\s,:]|%[0-7][0-9A-F])+)$/.exec(part);
    const index = Number(match?.groups?.index);
    if (match?.groups?.encoded === undefined || !(index < backends)) return new Map();
    parts.set(index, decodeURIComponent(match.groups.encoded));
  }
  return parts;
}
