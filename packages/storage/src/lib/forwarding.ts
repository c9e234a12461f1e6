import type { ContentAddress } from "@store/identity";
import type {
  BackendHealth,
  ObjectRetrieval,
  ObjectStat,
  PresignOptions,
  ReadOptions,
  RestoreOptions,
  Staged,
  StagedReadOptions,
  StagedStat,
  StageOptions,
  StorageBackend,
  StorageCapabilities,
  StorageReceipt,
} from "./contract.ts";

/** A backend that does what another does: wrappers extend it and override their verbs. */
export class ForwardingBackend implements StorageBackend {
  readonly kind: string;
  readonly capabilities: StorageCapabilities;
  protected readonly inner: StorageBackend;

  constructor(inner: StorageBackend) {
    this.inner = inner;
    this.kind = inner.kind;
    this.capabilities = inner.capabilities;
  }

  stage(options: StageOptions): Promise<Staged> {
    return this.inner.stage(options);
  }

  resume(id: string): Promise<Staged> {
    return this.inner.resume(id);
  }

  open(address: ContentAddress, options?: ReadOptions): AsyncIterable<Uint8Array> {
    return this.inner.open(address, options);
  }

  stat(address: ContentAddress): Promise<ObjectStat | undefined> {
    return this.inner.stat(address);
  }

  remove(address: ContentAddress): Promise<void> {
    return this.inner.remove(address);
  }

  enumerate(after?: ContentAddress): AsyncIterable<ObjectStat> {
    return this.inner.enumerate(after);
  }

  presign(address: ContentAddress, options?: PresignOptions): Promise<string> {
    return this.inner.presign(address, options);
  }

  restore(address: ContentAddress, options: RestoreOptions): Promise<ObjectRetrieval> {
    return this.inner.restore(address, options);
  }

  listStaged(): AsyncIterable<StagedStat> {
    return this.inner.listStaged();
  }

  discardStaged(id: string): Promise<void> {
    return this.inner.discardStaged(id);
  }

  health(): Promise<BackendHealth> {
    return this.inner.health();
  }

  close(): Promise<void> {
    return this.inner.close();
  }
}

/** Staged bytes that do what others do: the staging half of {@link ForwardingBackend}. */
export class ForwardingStaged implements Staged {
  protected readonly inner: Staged;

  constructor(inner: Staged) {
    this.inner = inner;
  }

  get id(): string {
    return this.inner.id;
  }

  get sizeBytes(): number {
    return this.inner.sizeBytes;
  }

  write(chunk: Uint8Array): Promise<void> {
    return this.inner.write(chunk);
  }

  sync(): Promise<number> {
    return this.inner.sync();
  }

  read(options?: StagedReadOptions): AsyncIterable<Uint8Array> {
    return this.inner.read(options);
  }

  commit(address: ContentAddress): Promise<StorageReceipt> {
    return this.inner.commit(address);
  }

  abort(): Promise<void> {
    return this.inner.abort();
  }
}
