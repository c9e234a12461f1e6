import { StoreError, type ContentAddress } from "@store/identity";
import type {
  BackendHealth,
  ObjectRetrieval,
  ObjectStat,
  PresignOptions,
  ReadOptions,
  RestoreOptions,
  Staged,
  StagedStat,
  StageOptions,
  StorageBackend,
  StorageCapabilities,
} from "@store/storage";

/** How long after one attempt to open it the next may be made. */
const pauseMs = 5_000;

/**
 * A backend that could not be opened yet. Every verb tries to open it, now and then, and then does
 * what the backend does; until that succeeds it fails with what opening it failed with.
 */
export class LateBackend implements StorageBackend {
  readonly kind: string;
  readonly #name: string;
  readonly #open: () => Promise<StorageBackend>;
  #failure: StoreError;
  #backend: StorageBackend | undefined;
  #opening: Promise<StorageBackend> | undefined;
  #nextAttemptMs = performance.now() + pauseMs;
  #closed = false;

  /** `cause` is what opening it failed with. */
  constructor(name: string, kind: string, open: () => Promise<StorageBackend>, cause: StoreError) {
    this.kind = kind;
    this.#name = name;
    this.#open = open;
    this.#failure = this.#failureOf(cause);
  }

  /** Until it is open, of what the contract leaves open nothing is promised. */
  get capabilities(): StorageCapabilities {
    const none = {
      durable: true,
      resumableAcrossProcesses: true,
      presignedReads: false,
      restores: false,
    };
    return this.#backend?.capabilities ?? none;
  }

  async stage(options: StageOptions): Promise<Staged> {
    return (await this.#ready()).stage(options);
  }

  async resume(id: string): Promise<Staged> {
    return (await this.#ready()).resume(id);
  }

  async *open(address: ContentAddress, options?: ReadOptions): AsyncGenerator<Uint8Array> {
    yield* (await this.#ready()).open(address, options);
  }

  async stat(address: ContentAddress): Promise<ObjectStat | undefined> {
    return (await this.#ready()).stat(address);
  }

  async remove(address: ContentAddress): Promise<void> {
    return (await this.#ready()).remove(address);
  }

  async presign(address: ContentAddress, options?: PresignOptions): Promise<string> {
    return (await this.#ready()).presign(address, options);
  }

  async restore(address: ContentAddress, options: RestoreOptions): Promise<ObjectRetrieval> {
    return (await this.#ready()).restore(address, options);
  }

  async *enumerate(after?: ContentAddress): AsyncGenerator<ObjectStat> {
    yield* (await this.#ready()).enumerate(after);
  }

  async *listStaged(): AsyncGenerator<StagedStat> {
    yield* (await this.#ready()).listStaged();
  }

  async discardStaged(id: string): Promise<void> {
    return (await this.#ready()).discardStaged(id);
  }

  async health(): Promise<BackendHealth> {
    try {
      return await (await this.#ready()).health();
    } catch (error) {
      return { healthy: false, reason: error instanceof Error ? error.message : String(error) };
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const opening = this.#opening?.catch(() => undefined);
    await (this.#backend ?? (await opening))?.close();
  }

  /** @throws {StoreError} `storage_unavailable` while it cannot be opened, `closed` */
  async #ready(): Promise<StorageBackend> {
    if (this.#backend !== undefined) return this.#backend;
    if (this.#closed) throw new StoreError("closed", `The backend "${this.#name}" is closed.`);
    if (this.#opening === undefined && performance.now() < this.#nextAttemptMs) throw this.#failure;
    this.#opening ??= this.#attempt();
    return this.#opening;
  }

  async #attempt(): Promise<StorageBackend> {
    try {
      this.#backend = await this.#open();
      return this.#backend;
    } catch (cause) {
      this.#failure = this.#failureOf(cause);
      throw this.#failure;
    } finally {
      this.#opening = undefined;
      this.#nextAttemptMs = performance.now() + pauseMs;
    }
  }

  #failureOf(cause: unknown): StoreError {
    const detail = cause instanceof Error ? cause.message : String(cause);
    const message = `The backend "${this.#name}" cannot be opened: ${detail}`;
    return new StoreError("storage_unavailable", message, { cause });
  }
}
