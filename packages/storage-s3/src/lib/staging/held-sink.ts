import type { ContentAddress } from "@store/identity";
import type { HeldBytes } from "../bytes/held-bytes.ts";
import type { Place } from "../place.ts";
import { putObject } from "./put-object.ts";
import type { Sink } from "./sink.ts";

/** Bytes of an object that is small, or not yet large: one request puts them to their key. */
export class HeldSink implements Sink {
  readonly isInBucket = false;
  readonly #place: Place;
  readonly #storageClass: string | undefined;
  readonly #bytes: HeldBytes;

  constructor(place: Place, storageClass: string | undefined) {
    this.#place = place;
    this.#storageClass = storageClass;
    this.#bytes = place.newSmall();
  }

  get sizeBytes(): number {
    return this.#bytes.sizeBytes;
  }

  write(chunk: Uint8Array): Promise<void> {
    return this.#bytes.append(chunk);
  }

  async sync(): Promise<number> {
    return 0;
  }

  async commit(address: ContentAddress): Promise<boolean> {
    const existed = await putObject(this.#place, address, this.#bytes, this.#storageClass);
    await this.release();
    return existed;
  }

  async discard(): Promise<void> {
    // Nobody else knows of the bytes.
  }

  async release(): Promise<void> {
    await this.#bytes.release();
  }

  /** Hands the bytes on to where they go from now on. */
  async moveTo(sink: Sink): Promise<void> {
    for (const chunk of this.#bytes.chunks) await sink.write(chunk);
    await this.release();
  }
}
