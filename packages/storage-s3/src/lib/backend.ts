import { type ContentAddress, parseContentAddress } from "@store/identity";
import {
  assertLease,
  type BackendHealth,
  type ObjectRetrieval,
  type ObjectStat,
  type PresignOptions,
  type ReadOptions,
  type RestoreOptions,
  type Staged,
  type StagedStat,
  type StageOptions,
  type StorageBackend,
  type StorageCapabilities,
} from "@store/storage";
import { connect } from "./requests/client.ts";
import { discardStaged } from "./discard-staged.ts";
import { enumerateObjects } from "./enumerate.ts";
import { prepareFormat } from "./format.ts";
import { checkHealth } from "./health.ts";
import { newStagedId } from "./layout.ts";
import { listStaged } from "./list-staged.ts";
import { LiveStaged } from "./staging/live-staged.ts";
import { readObject } from "./open.ts";
import { type S3StorageOptions, settingsOf } from "./options.ts";
import { firstPartBytes } from "./staging/part-sizes.ts";
import { closedError, Place } from "./place.ts";
import { presignObject } from "./presign.ts";
import { removeObject } from "./remove.ts";
import { restoreObject } from "./restore.ts";
import { resumeStaged } from "./resume.ts";
import { S3Staged } from "./staging/staged.ts";
import { statObject } from "./stat.ts";

/**
 * Opens the objects in a bucket of S3, or of a store that speaks its protocol. Throws
 * `invalid_argument`, `layout_unknown` for a prefix that newer code has laid out,
 * `permission_denied` and `storage_unavailable`.
 */
export async function openS3Storage(options: S3StorageOptions): Promise<StorageBackend> {
  const settings = settingsOf(options);
  const place = new Place(await connect(settings), settings);
  try {
    await prepareFormat(place);
  } catch (error) {
    place.close();
    throw error;
  }
  return new S3Storage(place);
}

class S3Storage implements StorageBackend {
  readonly kind = "s3";
  readonly capabilities: StorageCapabilities = {
    durable: true,
    resumableAcrossProcesses: true,
    presignedReads: true,
    restores: true,
  };
  readonly #place: Place;
  readonly #live = new LiveStaged();

  constructor(place: Place) {
    this.#place = place;
  }

  async stage(options: StageOptions): Promise<Staged> {
    this.#place.assertOpen();
    const { lease, claim, expectedSizeBytes, retentionClass } = options;
    assertLease(lease);
    const { partBytes } = this.#place.settings;
    const storageClass = this.#place.storageClassFor(retentionClass);
    const staging = {
      id: newStagedId({ lease, claim, storageClass }),
      storageClass,
      firstBytes: firstPartBytes(partBytes, expectedSizeBytes),
    };
    return new S3Staged(this.#place, this.#live, { staging, claim });
  }

  async resume(id: string): Promise<Staged> {
    this.#place.assertOpen();
    return resumeStaged(this.#place, this.#live, id);
  }

  open(address: ContentAddress, options: ReadOptions = {}): AsyncIterable<Uint8Array> {
    return this.#whileOpen(() => readObject(this.#place, address, options));
  }

  async stat(address: ContentAddress): Promise<ObjectStat | undefined> {
    this.#place.assertOpen();
    return statObject(this.#place, address);
  }

  async remove(address: ContentAddress): Promise<void> {
    this.#place.assertOpen();
    await removeObject(this.#place, address);
  }

  async presign(address: ContentAddress, options: PresignOptions = {}): Promise<string> {
    this.#place.assertOpen();
    return presignObject(this.#place, address, options);
  }

  async restore(address: ContentAddress, options: RestoreOptions): Promise<ObjectRetrieval> {
    this.#place.assertOpen();
    return restoreObject(this.#place, address, options);
  }

  enumerate(after?: ContentAddress): AsyncIterable<ObjectStat> {
    return this.#whileOpen(() => {
      const from = after === undefined ? undefined : parseContentAddress(after);
      return enumerateObjects(this.#place, from);
    });
  }

  listStaged(): AsyncIterable<StagedStat> {
    return this.#whileOpen(() => listStaged(this.#place, this.#live));
  }

  async discardStaged(id: string): Promise<void> {
    this.#place.assertOpen();
    await discardStaged(this.#place, this.#live, id);
  }

  async health(): Promise<BackendHealth> {
    return checkHealth(this.#place);
  }

  async close(): Promise<void> {
    for (const staged of this.#live.all()) await staged.close(closedError());
    this.#place.close();
  }

  /** Looks whether the backend is closed when the first item is asked for. */
  async *#whileOpen<T>(items: () => AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
    this.#place.assertOpen();
    yield* items();
  }
}
