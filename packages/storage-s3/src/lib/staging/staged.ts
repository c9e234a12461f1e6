import {
  type ContentAddress,
  isStoreError,
  parseContentAddress,
  StoreError,
} from "@store/identity";
import type { Staged, StagedReadOptions, StorageReceipt } from "@store/storage";
import { stagedNotFound } from "../requests/failure.ts";
import { HeldSink } from "./held-sink.ts";
import { InPlaceSink } from "./in-place-sink.ts";
import type { LiveStaged } from "./live-staged.ts";
import { HELD_BYTES } from "./part-sizes.ts";
import { PieceSink, type Staging } from "./piece-sink.ts";
import type { Place } from "../place.ts";
import { existingBytes } from "./put-object.ts";
import type { Sink } from "./sink.ts";
import { isArchiveClass, statObject } from "../stat.ts";

type State =
  | { readonly name: "open" }
  | { readonly name: "committed"; readonly receipt: StorageReceipt }
  /** `failure` says why. What is left of the bytes is to be discarded by an abort if `owned`. */
  | { readonly name: "ended"; readonly failure: StoreError; readonly owned: boolean };

/** What a {@link S3Staged} begins with. */
export interface StagedStart {
  readonly staging: Staging;
  readonly claim: ContentAddress | undefined;
  readonly sink?: Sink;
  /** Whether the bytes were read back before, and are final. */
  readonly readBack?: boolean;
}

export class S3Staged implements Staged {
  readonly id: string;
  readonly #place: Place;
  readonly #staging: Staging;
  readonly #claim: ContentAddress | undefined;
  readonly #live: LiveStaged;
  #sink: Sink;
  #state: State = { name: "open" };
  #readBack: boolean;
  #sizeBytes: number;
  #last: Promise<unknown> = Promise.resolve();

  constructor(place: Place, live: LiveStaged, start: StagedStart) {
    const { staging, claim, sink, readBack = false } = start;
    this.id = staging.id;
    this.#place = place;
    this.#staging = staging;
    this.#claim = claim;
    this.#live = live;
    this.#sink = sink ?? new HeldSink(place, staging.storageClass);
    this.#readBack = readBack;
    this.#sizeBytes = this.#sink.sizeBytes;
    live.add(this);
    if (this.isInBucket) live.wait(this);
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Whether other processes can find the bytes. */
  get isInBucket(): boolean {
    return this.#sink.isInBucket;
  }

  write(chunk: Uint8Array): Promise<void> {
    return this.#inTurn(async () => {
      this.#assertOpen();
      this.#assertNotReadBack();
      this.#live.work(this);
      await this.#orEnd(async () => {
        const sizeBytes = this.#sink.sizeBytes + chunk.length;
        if (this.#sink instanceof HeldSink && this.#isTooLarge(sizeBytes)) {
          await this.#move(this.#claim === undefined ? this.#pieces() : this.#inPlace(this.#claim));
        }
        await this.#sink.write(chunk);
      });
      this.#sizeBytes = this.#sink.sizeBytes;
    });
  }

  sync(): Promise<number> {
    return this.#inTurn(async () => {
      this.#assertOpen();
      this.#assertNotReadBack();
      const durable = await this.#orEnd(() => this.#makeDurable());
      if (durable === this.#sizeBytes) this.#live.wait(this);
      return durable;
    });
  }

  async *read(options: StagedReadOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    const sink = await this.#inTurn(() => this.#finalize());
    for await (const chunk of sink.read(options)) {
      this.#assertOpen();
      yield chunk;
    }
  }

  commit(address: ContentAddress): Promise<StorageReceipt> {
    return this.#inTurn(async () => {
      parseContentAddress(address);
      const again = await this.#committedBefore(address);
      if (again !== undefined) return again;
      this.#assertOpen();
      try {
        const existed = await this.#sink.commit(address);
        const retrieval = await this.#retrievalOf(address, existed);
        const receipt = { address, sizeBytes: this.#sizeBytes, existed, ...retrieval };
        this.#end({ name: "committed", receipt });
        return receipt;
      } catch (error) {
        if (isStoreError(error, "staged_not_found")) {
          this.#end({ name: "ended", failure: error, owned: true });
        }
        throw error;
      }
    });
  }

  abort(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#state.name === "committed") return;
      if (this.#state.name === "ended" && !this.#state.owned) return;
      await this.#sink.release();
      await this.#sink.discard();
      this.#end({ name: "ended", failure: stagedNotFound(this.id), owned: false });
    });
  }

  /** Lets go of the bytes for whoever resumes them; those that were not synced may be lost. */
  surrender(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#sink.release();
      if (this.#state.name === "committed") return;
      this.#end({ name: "ended", failure: stagedNotFound(this.id), owned: false });
    });
  }

  /** Lets go of the bytes since the backend is closed. */
  close(failure: StoreError): Promise<void> {
    return this.#inTurn(async () => {
      await this.#sink.release();
      if (this.#state.name === "open") this.#end({ name: "ended", failure, owned: true });
    });
  }

  /** Where memory is short, others need what a large object would hold. */
  #isTooLarge(sizeBytes: number): boolean {
    const { pool } = this.#place;
    return sizeBytes > (pool.isCrowded ? this.#staging.firstBytes : HELD_BYTES);
  }

  async #makeDurable(): Promise<number> {
    if (this.#sink instanceof HeldSink) await this.#move(this.#pieces());
    return this.#sink.sync();
  }

  async #finalize(): Promise<PieceSink> {
    this.#assertOpen();
    if (this.#sink instanceof InPlaceSink) throw notReadable(this.id);
    if (!this.#readBack) {
      await this.#orEnd(async () => {
        await this.#makeDurable();
        if (this.#sink instanceof PieceSink) await this.#sink.finalize();
      });
      this.#readBack = true;
      this.#live.wait(this);
    }
    if (!(this.#sink instanceof PieceSink)) throw notReadable(this.id);
    return this.#sink;
  }

  #pieces(): PieceSink {
    return new PieceSink(this.#place, this.#staging);
  }

  #inPlace(claim: ContentAddress): InPlaceSink {
    return new InPlaceSink(this.#place, this.#staging, claim);
  }

  /** Takes the bytes out of memory. */
  async #move(to: Sink): Promise<void> {
    const held = this.#sink;
    this.#sink = to;
    if (held instanceof HeldSink) await held.moveTo(to);
  }

  async #committedBefore(address: ContentAddress): Promise<StorageReceipt | undefined> {
    if (this.#state.name !== "committed" || this.#state.receipt.address !== address) {
      return undefined;
    }
    const { sizeBytes } = this.#state.receipt;
    const found = await existingBytes(this.#place, address);
    return found === sizeBytes ? { address, sizeBytes, existed: true } : undefined;
  }

  /** What went straight into an archive, or stood there: its class says so, or the store. */
  async #retrievalOf(
    address: ContentAddress,
    existed: boolean,
  ): Promise<Pick<StorageReceipt, "retrieval">> {
    if (!isArchiveClass(this.#staging.storageClass)) return {};
    const archived = { tier: "archive", restore: "none" } as const;
    if (!existed) return { retrieval: archived };
    // It is committed, whether or not the store says more of it now.
    const stat = await statObject(this.#place, address).catch(() => ({ retrieval: archived }));
    return stat?.retrieval === undefined ? {} : { retrieval: stat.retrieval };
  }

  /** After a failure only an abort may follow. */
  async #orEnd<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      await this.#sink.release();
      this.#end({ name: "ended", failure: stagedNotFound(this.id), owned: true });
      throw error;
    }
  }

  #assertOpen(): void {
    if (this.#state.name === "open") return;
    throw this.#state.name === "ended" ? this.#state.failure : stagedNotFound(this.id);
  }

  #assertNotReadBack(): void {
    if (!this.#readBack) return;
    throw new StoreError(
      "invalid_argument",
      `The staged bytes ${this.id} were read back and are final; commit or abort them.`,
    );
  }

  #end(state: State): void {
    this.#state = state;
    this.#live.remove(this);
  }

  /** One call at a time, so that nothing is freed under a call that still uses it. */
  #inTurn<T>(call: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(call);
    this.#last = turn.catch(() => {});
    return turn;
  }
}

function notReadable(id: string): StoreError {
  return new StoreError(
    "unsupported",
    `The staged bytes ${id} are written in place under their claim, and can be read only once ` +
      "they are committed. Stage them without a claim to read them back.",
  );
}
