import { type ContentAddress, StoreError } from "@store/identity";
import type { Staged, StagedReadOptions, StorageReceipt } from "@store/storage";
import { errnoOf, storageFailure } from "./failure.ts";
import { objectKey, type ObjectKey, stagedKey } from "./layout.ts";
import type { LiveStaged } from "./live-staged.ts";
import { fileSize, type Place } from "./place.ts";
import { readStaged } from "./read.ts";
import type { StagedFile } from "./staged-file.ts";

type State =
  | { readonly name: "open" }
  | { readonly name: "committed"; readonly receipt: StorageReceipt }
  /** `failure` says why. What is left of the bytes is to be discarded by an abort if `owned`. */
  | { readonly name: "ended"; readonly failure: StoreError; readonly owned: boolean };

/** A call that left nothing to try again: the staged bytes are gone, or published in doubt. */
class Irreparable extends Error {
  override readonly name = "Irreparable";
}

export class LocalStaged implements Staged {
  readonly id: string;
  readonly #place: Place;
  readonly #file: StagedFile;
  readonly #live: LiveStaged;
  #state: State = { name: "open" };
  #readBack = false;
  #sizeBytes: number;
  #last: Promise<unknown> = Promise.resolve();

  constructor(place: Place, id: string, file: StagedFile, live: LiveStaged) {
    this.#place = place;
    this.id = id;
    this.#file = file;
    this.#live = live;
    this.#sizeBytes = file.sizeBytes;
    live.add(this);
    if (file.exists) live.wait(this);
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Whether there is a file, which the staging folder shows to other processes. */
  get isInFile(): boolean {
    return this.#file.exists;
  }

  write(chunk: Uint8Array): Promise<void> {
    return this.#inTurn(async () => {
      this.#assertOpen();
      this.#assertNotReadBack();
      this.#live.work(this);
      const append = () => this.#file.append(chunk);
      await this.#orEnd("write", append, () => this.#file.release());
      this.#sizeBytes = this.#file.sizeBytes;
    });
  }

  sync(): Promise<number> {
    return this.#inTurn(async () => {
      this.#assertOpen();
      this.#assertNotReadBack();
      await this.#makeDurable();
      return this.#sizeBytes;
    });
  }

  async *read(options: StagedReadOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    await this.#inTurn(async () => {
      this.#assertOpen();
      if (this.#readBack) return;
      await this.#makeDurable();
      this.#readBack = true;
    });
    const notFound = (cause?: unknown) => stagedNotFound(this.id, cause);
    const staged = { id: this.id, end: this.#sizeBytes, notFound };
    yield* readStaged(this.#place, staged, options, () => this.#assertOpen());
  }

  commit(address: ContentAddress): Promise<StorageReceipt> {
    return this.#inTurn(async () => {
      const target = objectKey(address);
      try {
        const again = await this.#committedBefore(address, target);
        if (again !== undefined) return again;
        this.#assertOpen();
        const existed = await this.#publish(address, target);
        const receipt = { address, sizeBytes: this.#sizeBytes, existed };
        this.#end({ name: "committed", receipt });
        return receipt;
      } catch (error) {
        const cause = error instanceof Irreparable ? error.cause : error;
        const failure = await this.#commitFailure(address, cause);
        const isOver = error instanceof Irreparable || failure.code === "staged_not_found";
        if (isOver && this.#state.name === "open") {
          this.#end({ name: "ended", failure, owned: true });
        }
        throw failure;
      }
    });
  }

  abort(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#state.name === "committed") return;
      if (this.#state.name === "ended" && !this.#state.owned) return;
      try {
        await this.#file.discard();
      } catch (error) {
        throw storageFailure(error, `discard the staged bytes ${this.id}`);
      }
      this.#end({ name: "ended", failure: stagedNotFound(this.id), owned: false });
    });
  }

  /** Lets go of the bytes for whoever resumes them; those that were not synced may be lost. */
  surrender(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#file.release();
      if (this.#state.name === "committed") return;
      this.#end({ name: "ended", failure: stagedNotFound(this.id), owned: false });
    });
  }

  /** Lets go of the bytes since the backend is closed. */
  close(failure: StoreError): Promise<void> {
    return this.#inTurn(async () => {
      await this.#file.release();
      if (this.#state.name === "open") this.#end({ name: "ended", failure, owned: true });
    });
  }

  async #makeDurable(): Promise<void> {
    // What a failed sync has left on the disk cannot be known: it is not kept.
    const sync = () => this.#file.sync();
    await this.#orEnd("sync", sync, () => this.#file.discard());
    this.#live.wait(this);
  }

  /** Publishes the bytes durably. Resolves with whether the object was there before. */
  async #publish(address: ContentAddress, { folder, key }: ObjectKey): Promise<boolean> {
    const { fileSystem, folders } = this.#place;
    const { failures } = folders;
    const ensured = await folders.ensure(folder);
    if (!ensured.created) {
      const existingBytes = await fileSize(this.#place, key);
      this.#assertSameSize(address, existingBytes);
      // In a doubtful folder the object is put there anew, which a new sync can speak for.
      if (existingBytes !== undefined && !folders.isDoubtful(folder)) {
        // Whoever put it there may not have synced the folder yet.
        await ensured.makeDurable();
        await folders.sync(folder, failures);
        await this.#file.discard();
        return true;
      }
    }
    await this.#finish();
    await ensured.makeDurable();
    await fileSystem.rename(this.#place.path(stagedKey(this.id)), this.#place.path(key));
    try {
      await folders.sync(folder, failures);
    } catch (error) {
      throw new Irreparable("published, but perhaps not durably", { cause: error });
    }
    return false;
  }

  async #finish(): Promise<void> {
    const wasInFile = this.#file.exists;
    try {
      await this.#file.finish();
    } catch (error) {
      // Bytes that were in memory still are, and can be written again.
      if (!wasInFile) throw error;
      throw new Irreparable("the staged bytes are lost", { cause: error });
    }
  }

  async #committedBefore(
    address: ContentAddress,
    { key }: ObjectKey,
  ): Promise<StorageReceipt | undefined> {
    if (this.#state.name !== "committed" || this.#state.receipt.address !== address) {
      return undefined;
    }
    const { sizeBytes } = this.#state.receipt;
    const found = await fileSize(this.#place, key);
    return found === sizeBytes ? { address, sizeBytes, existed: true } : undefined;
  }

  async #commitFailure(address: ContentAddress, cause: unknown): Promise<StoreError> {
    if (errnoOf(cause) === "ENOENT") {
      if (await this.#isLost()) return stagedNotFound(this.id, cause);
      this.#place.folders.forget();
    }
    return storageFailure(cause, `commit the object ${address}`, address);
  }

  /** Whether the staged file has been discarded by somebody else. */
  async #isLost(): Promise<boolean> {
    if (!this.#file.exists) return false;
    const sizeBytes = await fileSize(this.#place, stagedKey(this.id)).catch(() => 0);
    return sizeBytes === undefined;
  }

  async #orEnd(verb: string, work: () => Promise<void>, free: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const lost = errnoOf(error) === "ENOENT" && (await this.#isLost());
      await free().catch(() => {});
      const gone = stagedNotFound(this.id, error);
      this.#end({ name: "ended", failure: gone, owned: true });
      throw lost ? gone : storageFailure(error, `${verb} the staged bytes ${this.id}`);
    }
  }

  #assertSameSize(address: ContentAddress, existingBytes: number | undefined): void {
    if (existingBytes === undefined || existingBytes === this.#sizeBytes) return;
    throw new StoreError(
      "size_mismatch",
      `The object ${address} stands on the disk with ${existingBytes} bytes; ` +
        `${this.#sizeBytes} were staged for it. One of them is not what its address says: ` +
        "verify the object, remove it if it is corrupt, and write it again.",
      { context: { reference: address, expected: existingBytes, actual: this.#sizeBytes } },
    );
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

  /** One call at a time, so that no file is closed under a call that still uses it. */
  #inTurn<T>(call: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(call);
    this.#last = turn.catch(() => {});
    return turn;
  }
}

export function stagedNotFound(id: string, cause?: unknown): StoreError {
  return new StoreError(
    "staged_not_found",
    `Nothing is staged under ${JSON.stringify(id)}: it was committed, discarded or never there. ` +
      "Stage the bytes again.",
    cause === undefined ? {} : { cause },
  );
}
