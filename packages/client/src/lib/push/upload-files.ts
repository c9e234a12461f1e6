import type { AddedFile } from "@store/api";
import { isStoreError, type ContentAddress } from "@store/identity";

import { abortedError } from "../http/failures.ts";
import { Retries, type RetryOptions } from "../http/retries.ts";
import { batchesOf } from "./batches.ts";
import { BegunUploads, sendResumably } from "./resumable-upload.ts";
import {
  bodyOf,
  hashSource,
  sourceChanged,
  type HashedSource,
  type UploadSource,
} from "./source.ts";
import { isResumable, type UploadTarget } from "./target.ts";
import { TaskGroup } from "./task-group.ts";

/** How far an upload has come. */
export interface UploadProgress {
  /** Files that are in the package. */
  readonly files: number;
  /** Bytes of these, and what was sent of others. */
  readonly bytes: number;
  /** Bytes that were sent, repetitions included. */
  readonly sentBytes: number;
  /** Files of `files` whose bytes were not sent. */
  readonly deduplicated: number;
}

export interface UploadFilesOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: UploadProgress) => void;
  /** How many files are under way at once; 32 unless given. */
  readonly concurrency?: number;
  /** Files of so many bytes and more are sent as resumable uploads; 64 MiB unless given. */
  readonly resumableFromBytes?: number;
  /** Most bytes of one request of a resumable upload; all of them unless given. */
  readonly partBytes?: number;
  /** Whether uploads that were begun before, and broke off, are continued; yes unless given. */
  readonly resume?: boolean;
  /** Replaces files that are there instead of refusing. */
  readonly replace?: boolean;
  /** The package's, by which a server may choose where in its storage large files are kept. */
  readonly retentionClass?: string;
  /** How resumable uploads go on after a failure for the moment. */
  readonly retry?: RetryOptions;
}

/** What uploading came to. */
export interface UploadedFiles extends UploadProgress {
  /** Distinct objects that were not stored before. */
  readonly newObjects: number;
  readonly newBytes: number;
}

/** What may be in memory of files that are under way. */
const weightLimitBytes = 64 * 1024 * 1024;
const defaults = { concurrency: 32, resumableFromBytes: 64 * 1024 * 1024 };

/**
 * Adds files to an open package, sending as little as possible: each is hashed first, and only what
 * the target lacks is sent, once for each distinct content, several at a time, large ones
 * resumably.
 *
 * The first failure ends it, once everything under way has ended; what was added before stays in
 * the package.
 *
 * @throws {StoreError} `source_changed` where a source is not what it was when it was hashed,
 *   `aborted` once the signal fired, what the target refuses, and what a source throws, as it is
 */
export async function uploadFiles(
  target: UploadTarget,
  packageId: string,
  files: Iterable<UploadSource> | AsyncIterable<UploadSource>,
  options: UploadFilesOptions = {},
): Promise<UploadedFiles> {
  const upload = new FilesUpload(target, packageId, options);
  return upload.run(files);
}

type Totals = { -readonly [Key in keyof UploadProgress]: number };

/** How far one file is, as a part of all. */
class FileProgress {
  readonly #total: Totals;
  readonly #report: () => void;
  position = 0;

  constructor(total: Totals, report: () => void) {
    this.#total = total;
    this.#report = report;
  }

  moveTo(position: number): void {
    this.#total.bytes += position - this.position;
    this.position = position;
    this.#report();
  }

  sent(sizeBytes: number): void {
    this.#total.sentBytes += sizeBytes;
  }
}

class FilesUpload {
  readonly #target: UploadTarget;
  readonly #packageId: string;
  readonly #options: UploadFilesOptions;
  readonly #begun: BegunUploads | undefined;
  readonly #retries: Retries;
  /** Contents that are being sent, or were. */
  readonly #sending = new Map<ContentAddress, Promise<void>>();
  readonly #known = new Set<ContentAddress>();
  readonly #total: Totals = { files: 0, bytes: 0, sentBytes: 0, deduplicated: 0 };
  readonly #new = { newObjects: 0, newBytes: 0 };

  constructor(target: UploadTarget, packageId: string, options: UploadFilesOptions) {
    this.#target = target;
    this.#packageId = packageId;
    this.#options = options;
    this.#retries = new Retries(options.retry);
    const wanted = options.resume !== false && isResumable(target);
    this.#begun = wanted ? new BegunUploads(target) : undefined;
  }

  async run(files: Iterable<UploadSource> | AsyncIterable<UploadSource>): Promise<UploadedFiles> {
    const { signal, concurrency: count = defaults.concurrency } = this.#options;
    if (signal?.aborted === true) throw abortedError("uploading", signal);
    const group = new TaskGroup({ count, weight: weightLimitBytes }, signal);
    try {
      for await (const batch of batchesOf(files, group.signal)) await this.#start(batch, group);
    } catch (error) {
      group.fail(error);
    }
    await group.finish().catch((error: unknown) => {
      throw signal?.aborted === true ? abortedError("uploading", signal) : error;
    });
    return { ...this.#total, ...this.#new };
  }

  async #start(batch: readonly HashedSource[], group: TaskGroup): Promise<void> {
    const { signal } = group;
    const addresses = [...new Set(batch.map((one) => one.address))].filter(
      (address) => !this.#known.has(address) && !this.#sending.has(address),
    );
    const missing = new Set(
      addresses.length === 0 ? [] : await this.#target.listMissing(addresses, { signal }),
    );
    for (const address of addresses) if (!missing.has(address)) this.#known.add(address);
    for (const file of batch) {
      const weight = Math.min(Math.max(file.sizeBytes, 64 * 1024), 8 * 1024 * 1024);
      await group.start(weight, () => this.#file(file, signal));
    }
  }

  async #file(file: HashedSource, signal: AbortSignal): Promise<void> {
    const sent = this.#sending.get(file.address);
    if (sent === undefined && !this.#known.has(file.address)) return this.#send(file, signal);
    await sent;
    if (signal.aborted) return;
    try {
      const { source, address } = file;
      await this.#target.addFile(this.#packageId, source.path, address, this.#fileOptions(source));
    } catch (error) {
      // The caller may write and not read, or the object went meanwhile.
      if (!isStoreError(error, "object_not_found")) throw error;
      return this.#sendBytes(file, signal);
    }
    this.#total.deduplicated += 1;
    this.#added(file, file.sizeBytes);
  }

  /** Sends what nobody has begun to send; others of the same content wait for it. */
  async #send(file: HashedSource, signal: AbortSignal): Promise<void> {
    const sending = this.#sendBytes(file, signal);
    this.#sending.set(
      file.address,
      sending.catch(() => undefined),
    );
    await sending;
  }

  async #sendBytes(file: HashedSource, signal: AbortSignal): Promise<void> {
    const progress = new FileProgress(this.#total, () => this.#report());
    try {
      const isNew = await this.#transfer(file, signal, progress);
      if (isNew) {
        this.#new.newObjects += 1;
        this.#new.newBytes += file.sizeBytes;
      }
    } catch (error) {
      throw await this.#explained(error, file, signal);
    }
    this.#added(file, file.sizeBytes - progress.position);
  }

  /** Whether the object was not stored before. */
  async #transfer(
    file: HashedSource,
    signal: AbortSignal,
    progress: FileProgress,
  ): Promise<boolean> {
    const { source, address, sizeBytes } = file;
    const target = this.#target;
    const { resumableFromBytes = defaults.resumableFromBytes } = this.#options;
    if (isResumable(target) && sizeBytes >= Math.max(1, resumableFromBytes)) {
      const begun = await this.#begun?.take(address, sizeBytes);
      const upload = await sendResumably(target, begun, file, {
        signal,
        retentionClass: this.#options.retentionClass,
        retries: this.#retries,
        partBytes: this.#options.partBytes ?? Infinity,
        onPosition: (position) => progress.moveTo(position),
        onSent: (sent) => progress.sent(sent),
      });
      const options = this.#fileOptions(source);
      const added = await target.addFile(this.#packageId, source.path, { upload }, options);
      return !added.deduplicated;
    }
    const added: AddedFile = await target.ingestFile(this.#packageId, source.path, bodyOf(file), {
      ...this.#fileOptions(source),
      expect: { address, sizeBytes },
      signal,
      onProgress: (position) => {
        // An attempt that was begun anew counts from its beginning again.
        progress.sent(Math.max(0, position - progress.position));
        progress.moveTo(position);
      },
    });
    // What is sent as a whole tells nothing on its way.
    if (progress.position === 0) progress.sent(sizeBytes);
    return !added.deduplicated;
  }

  /** Bytes that are not the expected ones are so because the source changed, if it did. */
  async #explained(error: unknown, file: HashedSource, signal: AbortSignal): Promise<unknown> {
    const isMismatch =
      isStoreError(error, "digest_mismatch") || isStoreError(error, "size_mismatch");
    if (!isMismatch || signal.aborted) return error;
    const now = await hashSource(file.source, 0, signal);
    return now.address === file.address ? error : sourceChanged(file.source.path, error);
  }

  #fileOptions({ executable, mediaType }: UploadSource) {
    const { replace } = this.#options;
    return {
      ...(executable === undefined ? {} : { executable }),
      ...(mediaType === undefined ? {} : { mediaType }),
      ...(replace === undefined ? {} : { replace }),
    };
  }

  #added(file: HashedSource, uncountedBytes: number): void {
    this.#known.add(file.address);
    this.#total.files += 1;
    this.#total.bytes += uncountedBytes;
    this.#report();
  }

  #report(): void {
    this.#options.onProgress?.({ ...this.#total });
  }
}
