import type { ContentAddress } from "@store/identity";
import type { Staged, StagedReadOptions, StorageReceipt } from "@store/storage";

import type { UploadLocks } from "./locks.ts";
import type { UploadLock } from "./upload-lock.ts";

/** Staged bytes that are written only while the lock on their upload is held. */
export class LockedStaged implements Staged {
  readonly #staged: Staged;
  readonly #locks: UploadLocks;
  readonly #lock: UploadLock;

  constructor(staged: Staged, locks: UploadLocks, lock: UploadLock) {
    this.#staged = staged;
    this.#locks = locks;
    this.#lock = lock;
  }

  get id(): string {
    return this.#staged.id;
  }

  get sizeBytes(): number {
    return this.#staged.sizeBytes;
  }

  async write(chunk: Uint8Array): Promise<void> {
    await this.#locks.assure(this.#lock);
    await this.#staged.write(chunk);
  }

  async sync(): Promise<number> {
    await this.#locks.assure(this.#lock);
    return this.#staged.sync();
  }

  read(options?: StagedReadOptions): AsyncIterable<Uint8Array> {
    return this.#staged.read(options);
  }

  async commit(address: ContentAddress): Promise<StorageReceipt> {
    await this.#locks.assure(this.#lock);
    return this.#staged.commit(address);
  }

  async abort(): Promise<void> {
    await this.#locks.assure(this.#lock);
    await this.#staged.abort();
  }
}
