import { uploadLocked } from "./turns.ts";

/** A lock that this process holds, as far as it knows. */
export class UploadLock {
  readonly uploadId: string;
  readonly #lockMs: number;
  readonly #ending = new AbortController();
  #since = performance.now();
  #lost = false;

  constructor(uploadId: string, lockMs: number) {
    this.uploadId = uploadId;
    this.#lockMs = lockMs;
  }

  /** Fires when somebody else wants the upload, or has it. */
  get ending(): AbortSignal {
    return this.#ending.signal;
  }

  get isDue(): boolean {
    return performance.now() - this.#since > this.#lockMs / 4;
  }

  /** Whether the lock is surely held, and will be for a while. */
  get isTrusted(): boolean {
    return !this.#lost && performance.now() - this.#since < (this.#lockMs * 3) / 4;
  }

  /** Throws `upload_locked` unless the lock is trusted. */
  assertHeld(): void {
    if (!this.isTrusted) throw this.#refusal();
  }

  renewed(since: number): void {
    this.#since = since;
  }

  giveWay(): void {
    this.#ending.abort(this.#refusal());
  }

  lose(): void {
    this.#lost = true;
    this.giveWay();
  }

  #refusal(): Error {
    return uploadLocked(this.uploadId, "another request took it over");
  }
}
