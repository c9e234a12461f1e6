import { constants } from "node:fs";
import { StoreError } from "@store/identity";
import { type Key, stagingFolder } from "./layout.ts";
import type { OpenFiles } from "./open-files.ts";
import { type Place, removeFile } from "./place.ts";

/** Bytes go to the disk in pieces of this size: smaller ones are several times slower. */
const PIECE_BYTES = 1024 * 1024;
/** After so many bytes the disk is set to work, so that the last sync has little left to do. */
const WRITEBACK_BYTES = 16 * 1024 * 1024;
const FILE_MODE = 0o600;
const CREATE = constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | constants.O_NOFOLLOW;
const REOPEN = constants.O_WRONLY | constants.O_NOFOLLOW;

/**
 * Staged bytes: first in memory, in a file once they are more than a piece or must be durable.
 * Calls are made one after the other. While one piece is being written the next is filled.
 * Writes are positioned, so that a short or repeated one cannot shift what follows.
 */
export class StagedFile {
  readonly #place: Place;
  readonly #key: Key;
  #pieceBytes: number;
  #piece: Uint8Array = new Uint8Array(0);
  #filled = 0;
  #spare: Uint8Array | undefined;
  /** Bytes that were handed to the file. */
  #fileBytes = 0;
  #exists: boolean;
  #entryDurable: boolean;
  /** How many syncs of folders had failed before the file was made. */
  #failures = 0;
  #open: { readonly descriptor: number; readonly pool: OpenFiles } | undefined;
  #writing: Promise<void> = Promise.resolve();
  #writeback: Promise<void> | undefined;
  #unsyncedBytes = 0;

  constructor(place: Place, key: Key, options: { existingBytes?: number; expectedBytes?: number }) {
    this.#place = place;
    this.#key = key;
    this.#exists = options.existingBytes !== undefined;
    this.#entryDurable = this.#exists;
    this.#fileBytes = options.existingBytes ?? 0;
    // A hint that is no size is none.
    const expectedBytes = Math.trunc(options.expectedBytes ?? 0) || 0;
    this.#pieceBytes = Math.min(Math.max(expectedBytes, 0), PIECE_BYTES);
  }

  /**
   * Staged bytes that are in a file already, made durable as far as they are there. Rejects with
   * the system's error, ENOENT among them.
   */
  static async reopen(place: Place, key: Key): Promise<StagedFile> {
    const { failures } = place.folders;
    const descriptor = await place.briefFiles.open(place.path(key), REOPEN);
    try {
      const { sizeBytes } = await place.fileSystem.fstat(descriptor);
      await place.fileSystem.fsync(descriptor);
      await place.folders.sync(stagingFolder, failures);
      return new StagedFile(place, key, { existingBytes: sizeBytes });
    } finally {
      await place.briefFiles.close(descriptor);
    }
  }

  /** Whether there is a file, which a process that dies would leave behind. */
  get exists(): boolean {
    return this.#exists;
  }

  get sizeBytes(): number {
    return this.#fileBytes + this.#filled;
  }

  async append(chunk: Uint8Array): Promise<void> {
    let offset = 0;
    while (offset < chunk.length) {
      if (this.#filled === PIECE_BYTES) await this.#startPiece();
      // The first piece stays in memory: nothing may come after it.
      if (this.#filled === 0 && this.#exists && chunk.length - offset >= PIECE_BYTES) {
        await this.#writeThrough(chunk.subarray(offset, offset + PIECE_BYTES));
        offset += PIECE_BYTES;
        continue;
      }
      this.#makeRoom(chunk.length - offset);
      const part = chunk.subarray(offset, offset + this.#piece.length - this.#filled);
      this.#piece.set(part, this.#filled);
      this.#filled += part.length;
      offset += part.length;
    }
  }

  /** Makes all bytes durable under the staged id. Holds no file and no memory afterwards. */
  async sync(): Promise<void> {
    await this.#flush(this.#place.writtenFiles);
    if (!this.#entryDurable) {
      await this.#place.folders.sync(stagingFolder, this.#failures);
      this.#entryDurable = true;
    }
    this.#piece = new Uint8Array(0);
    this.#spare = undefined;
  }

  /**
   * Makes the content durable, for the name that it will get. If bytes that are all in memory
   * cannot be written the file is discarded, so that `finish` may be called again: a sync that
   * failed is never repeated on the same file.
   */
  async finish(): Promise<void> {
    if (this.#exists && this.#open === undefined && this.#filled === 0) return;
    const wasInMemory = !this.#exists;
    const filled = this.#filled;
    try {
      await this.#flush(this.#place.briefFiles);
    } catch (error) {
      await this.discard().catch(() => {});
      if (wasInMemory) this.#filled = filled;
      throw error;
    }
  }

  /** Lets go of the open file, whatever state it is in; what was not synced may be lost. */
  async release(): Promise<void> {
    await this.#writing.catch(() => {});
    await this.#writeback?.catch(() => {});
    if (this.#open === undefined) return;
    const { descriptor, pool } = this.#open;
    this.#open = undefined;
    await pool.close(descriptor);
  }

  /** Removes the file, if there is one, and forgets the bytes. */
  async discard(): Promise<void> {
    await this.release();
    this.#fileBytes = 0;
    this.#filled = 0;
    this.#unsyncedBytes = 0;
    this.#writing = Promise.resolve();
    this.#writeback = undefined;
    this.#entryDurable = false;
    if (!this.#exists) return;
    await removeFile(this.#place, this.#key);
    this.#exists = false;
  }

  /** Room for at least one byte, and for `wanted` if that is no more than a piece. */
  #makeRoom(wanted: number): void {
    if (this.#filled < this.#piece.length) return;
    const needed = Math.max(this.#filled + wanted, this.#filled * 2, this.#pieceBytes);
    // A file that has had a piece will have more: its buffers are used again and again.
    const sizeBytes = this.#fileBytes > 0 ? PIECE_BYTES : Math.min(needed, PIECE_BYTES);
    const larger = this.#spare ?? Buffer.allocUnsafe(sizeBytes);
    this.#spare = undefined;
    larger.set(this.#piece.subarray(0, this.#filled));
    this.#piece = larger;
  }

  /** Sets the disk to work on the full piece, and goes on with an empty one. */
  async #startPiece(): Promise<void> {
    const { descriptor } = await this.#opened(this.#place.writtenFiles);
    await this.#writing;
    const piece = this.#piece;
    const position = this.#fileBytes;
    this.#fileBytes += piece.length;
    this.#filled = 0;
    this.#piece = this.#spare ?? new Uint8Array(0);
    this.#spare = undefined;
    this.#writing = this.#writePiece(descriptor, piece, position).then(() => {
      this.#spare = piece;
    });
    // The next call looks at the outcome.
    this.#writing.catch(() => {});
  }

  /** Writes a whole piece from where it lies: who gives such overlaps writing with work of its own. */
  async #writeThrough(piece: Uint8Array): Promise<void> {
    const { descriptor } = await this.#opened(this.#place.writtenFiles);
    await this.#writing;
    const position = this.#fileBytes;
    await this.#writePiece(descriptor, piece, position);
    this.#fileBytes += piece.length;
  }

  async #writePiece(descriptor: number, piece: Uint8Array, position: number): Promise<void> {
    await this.#writeAll(descriptor, piece, position);
    this.#unsyncedBytes += piece.length;
    if (this.#unsyncedBytes < WRITEBACK_BYTES) return;
    // One that is still running holds the writer back, so that memory does not fill with bytes
    // that the disk cannot take as fast.
    await this.#writeback;
    this.#unsyncedBytes = 0;
    this.#writeback = this.#place.fileSystem.fsync(descriptor);
    this.#writeback.catch(() => {});
  }

  /** Writes what is left, syncs and closes. */
  async #flush(poolIfClosed: OpenFiles): Promise<void> {
    const { descriptor, pool } = await this.#opened(poolIfClosed);
    await this.#writing;
    await this.#writeAll(descriptor, this.#piece.subarray(0, this.#filled), this.#fileBytes);
    await this.#writeback;
    await this.#place.fileSystem.fsync(descriptor);
    this.#fileBytes += this.#filled;
    this.#filled = 0;
    this.#unsyncedBytes = 0;
    this.#open = undefined;
    pool.closeSynced(descriptor);
  }

  async #opened(pool: OpenFiles): Promise<{ descriptor: number; pool: OpenFiles }> {
    if (this.#open !== undefined) return this.#open;
    const path = this.#place.path(this.#key);
    if (!this.#exists) this.#failures = this.#place.folders.failures;
    const descriptor = await pool.open(path, this.#exists ? REOPEN : CREATE, FILE_MODE);
    this.#exists = true;
    this.#open = { descriptor, pool };
    return this.#open;
  }

  async #writeAll(descriptor: number, bytes: Uint8Array, position: number): Promise<void> {
    let written = 0;
    while (written < bytes.length) {
      const rest = written === 0 ? bytes : bytes.subarray(written);
      const count = await this.#place.fileSystem.write(descriptor, rest, position + written);
      if (count === 0) throw new StoreError("storage_unavailable", "The disk takes no bytes.");
      written += count;
    }
  }
}
