import { resolve } from "node:path";
import { type ContentAddress, parseContentAddress, StoreError } from "@store/identity";
import {
  assertLease,
  type BackendHealth,
  notPresigned,
  notRestored,
  type ObjectStat,
  type ReadOptions,
  type Staged,
  type StagedStat,
  type StageOptions,
  type StorageBackend,
  type StorageCapabilities,
} from "@store/storage";
import { errnoOf, storageFailure } from "./failure.ts";
import { type FileSystem, nodeFileSystem } from "./file-system.ts";
import { enumerateObjects, namesIn, sized } from "./inventory.ts";
import { LiveStaged } from "./live-staged.ts";
import { leaseOf, newStagedId, objectKey, stagedKey, stagingFolder } from "./layout.ts";
import { fileSize, Place, removeFile } from "./place.ts";
import { readObject } from "./read.ts";
import { assertFormat, assertRootIsThere, prepareRoot } from "./root.ts";
import { StagedFile } from "./staged-file.ts";
import { LocalStaged, stagedNotFound } from "./staged.ts";

export interface LocalStorageOptions {
  /** The folder that holds everything; made, mode 0700, where it is not there. */
  readonly root: string;
  /**
   * How many files reads hold open at a time, and how many more uploads do; who comes later waits
   * for up to 30 seconds. Default: 2,048.
   */
  readonly maxOpenFiles?: number;
}

const MAX_OPEN_FILES = 2048;
/** The lease of the bytes that a health check stages. */
const HEALTH_LEASE = "health-check";
const PROBE = new Uint8Array(4096);

/**
 * Opens the objects on a local disk. Throws `layout_unknown` for a folder that is neither empty
 * nor a root of this layout, `permission_denied`, `storage_full` and `storage_unavailable`.
 */
export async function openLocalStorage(options: LocalStorageOptions): Promise<StorageBackend> {
  return openOn(nodeFileSystem, options);
}

/** Opens a root through another file system: the seam at which tests make a call fail. */
export async function openOn(
  fileSystem: FileSystem,
  { root, maxOpenFiles = MAX_OPEN_FILES }: LocalStorageOptions,
): Promise<LocalStorage> {
  if (typeof root !== "string" || root === "" || root.includes("\0")) {
    throw new StoreError("invalid_argument", "The option root must be the path of a folder.");
  }
  if (!Number.isSafeInteger(maxOpenFiles) || maxOpenFiles < 1) {
    throw new StoreError("invalid_argument", "The option maxOpenFiles must be 1 or more.", {
      context: { actual: String(maxOpenFiles) },
    });
  }
  const place = new Place(resolve(root), fileSystem, maxOpenFiles);
  await prepareRoot(place);
  return new LocalStorage(place);
}

export class LocalStorage implements StorageBackend {
  readonly kind = "local";
  readonly capabilities: StorageCapabilities = {
    durable: true,
    resumableAcrossProcesses: true,
    presignedReads: false,
    restores: false,
  };
  readonly #place: Place;
  readonly #live = new LiveStaged();
  #closed = false;

  constructor(place: Place) {
    this.#place = place;
  }

  async stage(options: StageOptions): Promise<Staged> {
    this.#assertOpen();
    assertLease(options.lease);
    return this.#begin(newStagedId(options.lease), options.expectedSizeBytes);
  }

  async resume(id: string): Promise<Staged> {
    this.#assertOpen();
    if (leaseOf(id) === undefined) throw stagedNotFound(id);
    const before = this.#live.get(id);
    const isInFile = before?.isInFile ?? true;
    await before?.surrender();
    // Staged here and never synced: nothing of it is durable.
    if (!isInFile) return this.#begin(id);
    try {
      const file = await StagedFile.reopen(this.#place, stagedKey(id));
      return new LocalStaged(this.#place, id, file, this.#live);
    } catch (error) {
      if (["ENOENT", "ELOOP"].includes(errnoOf(error) ?? "")) throw stagedNotFound(id, error);
      throw storageFailure(error, `resume the staged bytes ${id}`);
    }
  }

  open(address: ContentAddress, options: ReadOptions = {}): AsyncIterable<Uint8Array> {
    return this.#whileOpen(() => readObject(this.#place, address, options, this.#assertOpen));
  }

  async stat(address: ContentAddress): Promise<ObjectStat | undefined> {
    this.#assertOpen();
    const { key } = objectKey(address);
    const sizeBytes = await fileSize(this.#place, key).catch((error: unknown) => {
      throw storageFailure(error, `look for the object ${address}`, address);
    });
    if (sizeBytes !== undefined) return { address, sizeBytes };
    await assertRootIsThere(this.#place);
    return undefined;
  }

  async remove(address: ContentAddress): Promise<void> {
    this.#assertOpen();
    const { folder, key } = objectKey(address);
    const { failures } = this.#place.folders;
    try {
      await removeFile(this.#place, key);
      // Also where it was absent: whoever removed it may not have got so far.
      await this.#place.folders.sync(folder, failures);
    } catch (error) {
      if (errnoOf(error) === "ENOENT") return;
      throw storageFailure(error, `remove the object ${address}`, address);
    }
  }

  async presign(address: ContentAddress): Promise<never> {
    throw notPresigned(this.kind, address);
  }

  async restore(address: ContentAddress): Promise<never> {
    throw notRestored(this.kind, address);
  }

  enumerate(after?: ContentAddress): AsyncIterable<ObjectStat> {
    return this.#whileOpen(() => {
      const from = after === undefined ? undefined : parseContentAddress(after);
      return enumerateObjects(this.#place, from);
    });
  }

  listStaged(): AsyncIterable<StagedStat> {
    return this.#whileOpen(() => this.#listStaged());
  }

  async discardStaged(id: string): Promise<void> {
    this.#assertOpen();
    if (leaseOf(id) === undefined) return;
    await this.#live.get(id)?.abort();
    try {
      await removeFile(this.#place, stagedKey(id));
    } catch (error) {
      throw storageFailure(error, `discard the staged bytes ${id}`);
    }
  }

  async health(): Promise<BackendHealth> {
    let space: { freeBytes?: number; totalBytes?: number } = {};
    try {
      this.#assertOpen();
      space = await this.#place.fileSystem.statfs(this.#place.root);
      await assertFormat(this.#place);
      const probe = await this.stage({ lease: HEALTH_LEASE });
      try {
        await probe.write(PROBE);
        await probe.sync();
      } finally {
        await probe.abort();
      }
      return { healthy: true, ...space };
    } catch (error) {
      const failure = storageFailure(error, "write a file to the storage root");
      return { healthy: false, reason: failure.message, ...space };
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const staged of this.#live.all()) await staged.close(closedError());
  }

  async *#listStaged(): AsyncGenerator<StagedStat, void, undefined> {
    const inMemory = this.#live.all().filter(({ isInFile }) => !isInFile);
    const known = new Set(inMemory.map(({ id }) => id));
    const names = await namesIn(this.#place, stagingFolder);
    const ids = names.filter((id) => leaseOf(id) !== undefined && !known.has(id));
    for (const { id, sizeBytes } of inMemory) yield { id, lease: leaseOf(id) ?? "", sizeBytes };
    for await (const { name, sizeBytes } of sized(this.#place, ids, stagedKey)) {
      yield { id: name, lease: leaseOf(name) ?? "", sizeBytes };
    }
  }

  #begin(id: string, expectedBytes = 0): LocalStaged {
    const file = new StagedFile(this.#place, stagedKey(id), { expectedBytes });
    return new LocalStaged(this.#place, id, file, this.#live);
  }

  /** Looks whether the backend is closed when the first item is asked for. */
  async *#whileOpen<T>(items: () => AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
    this.#assertOpen();
    yield* items();
  }

  readonly #assertOpen = (): void => {
    if (this.#closed) throw closedError();
  };
}

function closedError(): StoreError {
  return new StoreError("closed", "The local storage is closed. Open it again to use it.");
}
