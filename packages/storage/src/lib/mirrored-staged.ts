import type { ContentAddress } from "@store/identity";
import type { Staged, StorageReceipt } from "./contract.ts";

/** Staged bytes in several places at once. */
export class MirroredStaged implements Staged {
  readonly id: string;
  readonly #parts: readonly MirroredPart[];
  #sizeBytes: number;

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
    const offsets = await this.#inAll(({ staged }) => staged.sync());
    return Math.min(this.#sizeBytes, ...offsets);
  }

  async commit(address: ContentAddress): Promise<StorageReceipt> {
    const receipts = await this.#inAll(({ staged }) => staged.commit(address));
    const existed = receipts.every((receipt) => receipt.existed);
    return { address, sizeBytes: this.#sizeBytes, existed };
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
