import { isStoreError, parseContentAddress, StoreError } from "@store/identity";
import type { Staged, StageOptions, StorageBackend } from "@store/storage";

import { findPresent } from "../placement/admitting.ts";
import { metadataOf, type UploadRow } from "../queries/uploads.ts";
import { formatTime } from "../times.ts";
import { finishUpload } from "./completing.ts";
import { LockedStaged } from "./locked-staged.ts";
import type { UploadLocks } from "./locks.ts";
import type { UploadLock } from "./upload-lock.ts";
import {
  deleteUpload,
  moveUpload,
  saveUpload,
  sizeUpload,
  type UploadsInstance,
} from "./records.ts";

/** Bodies up to this size are not looked for after a crash: their clients send them again. */
const smallBytes = 1024 * 1024;

/** An upload as it really is. `staged` is there unless it is complete or has no bytes. */
export interface Settled {
  readonly row: UploadRow;
  readonly staged: Staged | undefined;
}

/** An upload that is this caller's alone for now. */
export class HeldUpload {
  readonly instance: UploadsInstance;
  /** The row as it was when the lock was taken. */
  readonly row: UploadRow;
  /** Fires when the caller gives up, the instance closes, or somebody else wants the upload. */
  readonly signal: AbortSignal;
  readonly #locks: UploadLocks;
  readonly #lock: UploadLock;
  readonly #uploadMs: number;

  constructor(held: {
    readonly instance: UploadsInstance;
    readonly row: UploadRow;
    readonly signal: AbortSignal;
    readonly locks: UploadLocks;
    readonly lock: UploadLock;
    readonly uploadMs: number;
  }) {
    this.instance = held.instance;
    this.row = held.row;
    this.signal = held.signal;
    this.#locks = held.locks;
    this.#lock = held.lock;
    this.#uploadMs = held.uploadMs;
  }

  get id(): string {
    return this.row.uploadId;
  }

  /** The process that holds the lock, as rows name it. */
  get holder(): string {
    return this.#locks.holder;
  }

  /** When the upload ends that changes now. */
  get expiresAt(): string {
    return formatTime(this.instance.clock() + this.#uploadMs);
  }

  /** Holds the row against what is durable, and mends it. */
  async settle(): Promise<Settled> {
    const { row } = this;
    if (row.status === "complete") return { row, staged: undefined };
    if (row.stagedId === null) return { row: await this.#atPrimary(), staged: undefined };
    const staged = await this.#resume(row.stagedId);
    if (staged === undefined) return this.#settleLost();
    const { sizeBytes } = staged;
    if (sizeBytes > (row.sizeBytes ?? Infinity)) {
      await staged.abort();
      return this.#settleLost();
    }
    if (sizeBytes === row.offsetBytes) return { row, staged };
    return { row: await this.save(staged.id, sizeBytes), staged };
  }

  /** Stages bytes that are this upload's, or a part of them by itself, where the row says. */
  async stage(row: UploadRow, hints: Omit<StageOptions, "lease"> = {}): Promise<Staged> {
    const staged = await this.#backendOf(row).stage({ ...hints, lease: this.id });
    return new LockedStaged(staged, this.#locks, this.#lock);
  }

  /** Stages the upload itself. */
  async stageWhole(row: UploadRow): Promise<Staged> {
    const { sizeBytes } = row;
    const { retention_class: retentionClass } = metadataOf(row);
    // Without a claim: what another process goes on with is read back to be hashed.
    const hints = {
      ...(sizeBytes === null ? {} : { expectedSizeBytes: sizeBytes }),
      ...(retentionClass === undefined ? {} : { retentionClass }),
    };
    const staged = await this.stage(row, hints);
    // So that what was written is found if this process is killed.
    if (sizeBytes === null || sizeBytes > smallBytes) await this.save(staged.id, 0);
    return staged;
  }

  /** Records where the bytes are, and how many are durable. */
  save(stagedId: string | null, offsetBytes: number): Promise<UploadRow> {
    const { id: uploadId, holder, expiresAt } = this;
    return saveUpload(this.instance, { uploadId, holder, stagedId, offsetBytes, expiresAt });
  }

  setSize(sizeBytes: number): Promise<UploadRow> {
    return sizeUpload(this.instance, this.holder, this.id, sizeBytes);
  }

  /** Ends the upload. */
  async discard(stagedId = this.row.stagedId): Promise<void> {
    await deleteUpload(this.instance, this.id, this.holder);
    const { placement } = this.instance;
    if (stagedId !== null) await placement.backend(this.row.backend)?.discardStaged(stagedId);
  }

  async #resume(stagedId: string): Promise<Staged | undefined> {
    try {
      const staged = await this.#backendOf(this.row).resume(stagedId);
      return new LockedStaged(staged, this.#locks, this.#lock);
    } catch (error) {
      if (isStoreError(error, "staged_not_found")) return undefined;
      throw error;
    }
  }

  /** The bytes are gone: they have become the object, or the storage lost them. */
  async #settleLost(): Promise<Settled> {
    const { instance, row, holder, expiresAt } = this;
    if (row.contentAddress !== null && row.sizeBytes !== null) {
      const address = parseContentAddress(row.contentAddress);
      const object = { address, sizeBytes: row.sizeBytes };
      const present = await findPresent(instance, object, row.backend);
      if (present !== undefined) {
        const { backend } = present;
        const complete = await finishUpload({ instance, row, holder, expiresAt }, backend);
        return { row: complete, staged: undefined };
      }
    }
    return { row: await this.save(null, 0), staged: undefined };
  }

  /** The row of an upload without bytes, which goes where new objects go today. */
  async #atPrimary(): Promise<UploadRow> {
    const { holder, id, instance, row } = this;
    const { primary } = instance.placement;
    return row.backend === primary ? row : moveUpload(instance, holder, id, primary);
  }

  /** Where an upload's bytes are; throws `upload_not_found` where nobody can get at them. */
  #backendOf({ backend: name }: UploadRow): StorageBackend {
    const backend = this.instance.placement.backend(name);
    if (backend !== undefined) return backend;
    throw new StoreError(
      "upload_not_found",
      `The bytes of the upload ${this.id} are at the backend "${name}", which is configured no ` +
        "more. Cancel it and begin another, or have the backend configured again.",
      { context: { actual: name } },
    );
  }
}
