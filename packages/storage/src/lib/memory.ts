import { type ContentAddress, parseContentAddress, StoreError } from "@store/identity";
import { assertNotAborted } from "./aborting.ts";
import type {
  BackendHealth,
  ObjectStat,
  ReadOptions,
  Staged,
  StagedReadOptions,
  StagedStat,
  StageOptions,
  StorageBackend,
  StorageReceipt,
} from "./contract.ts";
import { assertLease } from "./lease.ts";
import { type Content, slices, truncate } from "./memory-content.ts";
import { resolveRange } from "./range.ts";
import { notPresigned, notRestored } from "./unsupported.ts";
import { assertNotReadBack } from "./staged-read.ts";

export interface MemoryBackendOptions {
  /** How many bytes fit, staged and committed together; `storage_full` above. Default: 1 GiB. */
  readonly capacityBytes?: number;
}

const DEFAULT_CAPACITY_BYTES = 1024 ** 3;

interface StagedContent extends Content {
  readonly id: string;
  readonly lease: string;
  /** The offset that `resume` goes back to, as a place that loses what was not synced would. */
  durableBytes: number;
  /** The handle that may write; `resume` takes it away from the one before. */
  owner: Staged | undefined;
}

/** A backend in this process's memory: for tests, examples and caches. Nothing outlives it. */
export function createMemoryBackend(options: MemoryBackendOptions = {}): StorageBackend {
  return new MemoryBackend(options.capacityBytes ?? DEFAULT_CAPACITY_BYTES);
}

class MemoryBackend implements StorageBackend {
  readonly kind = "memory";
  readonly capabilities = {
    durable: false,
    resumableAcrossProcesses: false,
    presignedReads: false,
    restores: false,
  };
  readonly objects = new Map<ContentAddress, Content>();
  readonly staged = new Map<string, StagedContent>();
  readonly #capacityBytes: number;
  #usedBytes = 0;
  #closed = false;

  constructor(capacityBytes: number) {
    this.#capacityBytes = capacityBytes;
  }

  async stage(options: StageOptions): Promise<Staged> {
    this.assertOpen();
    assertLease(options.lease);
    const content: StagedContent = {
      id: crypto.randomUUID(),
      lease: options.lease,
      chunks: [],
      sizeBytes: 0,
      durableBytes: 0,
      owner: undefined,
    };
    this.staged.set(content.id, content);
    return new MemoryStaged(this, content);
  }

  async resume(id: string): Promise<Staged> {
    this.assertOpen();
    const content = this.staged.get(id);
    if (content === undefined) throw stagedNotFound(id);
    this.#usedBytes -= content.sizeBytes - content.durableBytes;
    truncate(content, content.durableBytes);
    return new MemoryStaged(this, content);
  }

  async *open(address: ContentAddress, options: ReadOptions = {}): AsyncGenerator<Uint8Array> {
    this.assertOpen();
    const content = this.objects.get(parseContentAddress(address));
    if (content === undefined) {
      throw new StoreError("object_not_found", `Memory holds no object ${address}.`, {
        context: { reference: address },
      });
    }
    yield* slices(content, resolveRange(options.range, content.sizeBytes), options.signal);
  }

  async stat(address: ContentAddress): Promise<ObjectStat | undefined> {
    this.assertOpen();
    const content = this.objects.get(parseContentAddress(address));
    return content === undefined ? undefined : { address, sizeBytes: content.sizeBytes };
  }

  async remove(address: ContentAddress): Promise<void> {
    this.assertOpen();
    const content = this.objects.get(parseContentAddress(address));
    if (content === undefined) return;
    this.objects.delete(address);
    this.#usedBytes -= content.sizeBytes;
  }

  async *enumerate(after?: ContentAddress): AsyncGenerator<ObjectStat> {
    this.assertOpen();
    // Addresses are ASCII, so that the default order of texts is the bytewise one.
    const addresses = [...this.objects.keys()].toSorted();
    for (const address of addresses) {
      const content = this.objects.get(address);
      if (content === undefined || (after !== undefined && address <= after)) continue;
      yield { address, sizeBytes: content.sizeBytes };
    }
  }

  async presign(address: ContentAddress): Promise<never> {
    throw notPresigned(this.kind, address);
  }

  async restore(address: ContentAddress): Promise<never> {
    throw notRestored(this.kind, address);
  }

  async *listStaged(): AsyncGenerator<StagedStat> {
    this.assertOpen();
    for (const { id, lease, sizeBytes } of this.staged.values()) {
      yield { id, lease, sizeBytes };
    }
  }

  async discardStaged(id: string): Promise<void> {
    this.assertOpen();
    this.drop(id);
  }

  async health(): Promise<BackendHealth> {
    if (this.#closed) return { healthy: false, reason: "The memory backend is closed." };
    const freeBytes = this.#capacityBytes - this.#usedBytes;
    return { healthy: true, freeBytes, totalBytes: this.#capacityBytes };
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  assertOpen(): void {
    if (this.#closed) throw new StoreError("closed", "The memory backend is closed.");
  }

  /** Counts bytes that are about to be kept, or refuses them. */
  reserve(sizeBytes: number): void {
    if (this.#usedBytes + sizeBytes > this.#capacityBytes) {
      throw new StoreError(
        "storage_full",
        `The memory backend holds ${this.#usedBytes} of ${this.#capacityBytes} bytes; ` +
          `${sizeBytes} more do not fit. Remove objects or raise capacityBytes.`,
        { context: { limit: this.#capacityBytes } },
      );
    }
    this.#usedBytes += sizeBytes;
  }

  /** Forgets staged bytes, if they are there. */
  drop(id: string): void {
    const content = this.staged.get(id);
    if (content === undefined) return;
    this.staged.delete(id);
    this.#usedBytes -= content.sizeBytes;
  }

  publish(content: StagedContent, address: ContentAddress): boolean {
    const existing = this.objects.get(address);
    if (existing !== undefined) {
      assertSameSize(address, existing.sizeBytes, content.sizeBytes);
      this.drop(content.id);
      return true;
    }
    this.staged.delete(content.id);
    this.objects.set(address, { chunks: content.chunks, sizeBytes: content.sizeBytes });
    return false;
  }
}

class MemoryStaged implements Staged {
  readonly id: string;
  readonly #backend: MemoryBackend;
  readonly #content: StagedContent;
  #failed = false;
  #readBack = false;
  #committed: ContentAddress | undefined;

  constructor(backend: MemoryBackend, content: StagedContent) {
    this.id = content.id;
    this.#backend = backend;
    this.#content = content;
    content.owner = this;
  }

  get sizeBytes(): number {
    return this.#content.sizeBytes;
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#assertUsable();
    assertNotReadBack(this.#readBack, this.id);
    try {
      this.#backend.reserve(chunk.length);
    } catch (error) {
      this.#failed = true;
      throw error;
    }
    // Not chunk.slice(), which on a Buffer is a view of the caller's bytes.
    this.#content.chunks.push(new Uint8Array(chunk));
    this.#content.sizeBytes += chunk.length;
  }

  async sync(): Promise<number> {
    this.#assertUsable();
    assertNotReadBack(this.#readBack, this.id);
    this.#content.durableBytes = this.#content.sizeBytes;
    return this.#content.durableBytes;
  }

  async *read(options: StagedReadOptions = {}): AsyncGenerator<Uint8Array> {
    this.#assertUsable();
    assertNotAborted(options.signal, "read");
    const end = this.#content.sizeBytes;
    this.#content.durableBytes = end;
    this.#readBack = true;
    yield* slices(this.#content, { start: 0, end }, options.signal);
  }

  async commit(address: ContentAddress): Promise<StorageReceipt> {
    this.#backend.assertOpen();
    parseContentAddress(address);
    const sizeBytes = this.#content.sizeBytes;
    if (this.#committed === address && this.#backend.objects.has(address)) {
      return { address, sizeBytes, existed: true };
    }
    this.#assertUsable();
    const existed = this.#backend.publish(this.#content, address);
    this.#committed = address;
    return { address, sizeBytes, existed };
  }

  async abort(): Promise<void> {
    if (this.#content.owner === this) this.#backend.drop(this.id);
  }

  #assertUsable(): void {
    this.#backend.assertOpen();
    const held = this.#backend.staged.get(this.id) === this.#content;
    if (!held || this.#failed || this.#content.owner !== this) throw stagedNotFound(this.id);
  }
}

function assertSameSize(address: ContentAddress, existing: number, staged: number): void {
  if (existing === staged) return;
  throw new StoreError(
    "size_mismatch",
    `The object ${address} stands with ${existing} bytes; ${staged} were staged for it. ` +
      "One of them is not what its address says: verify the object.",
    { context: { reference: address, expected: existing, actual: staged } },
  );
}

function stagedNotFound(id: string): StoreError {
  return new StoreError("staged_not_found", `Nothing is staged under ${JSON.stringify(id)}.`);
}
