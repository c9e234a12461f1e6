import { type Blobs, readSegments, sliceSegments, wholeOf } from "./blobs.ts";
import type { Bucket, Encryption, StoredObject } from "./bucket.ts";
import type { StoredChecksum } from "./checksums.ts";
import type { CredentialStore, S3Credential } from "./credentials.ts";
import type { Faults, S3Fault } from "./faults.ts";
import type { RequestLog, S3RequestRecord } from "./request-log.ts";
import { restoredUntil, restoreState } from "./restores.ts";

/** An object as a test sees it from the side. */
export interface S3ObjectFacts {
  readonly key: string;
  readonly size: number;
  readonly etag: string;
  readonly storageClass: string;
  readonly encryption: Encryption;
  /** What the client said of it: `content-type`, `x-amz-meta-…`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly checksum: StoredChecksum | undefined;
  readonly restore: "none" | "ongoing" | "restored";
}

/** An upload that is neither completed nor aborted. */
export interface S3UploadFacts {
  readonly id: string;
  readonly key: string;
  readonly parts: number;
  readonly bytes: number;
}

/**
 * What a test does to the double besides S3. Keys are those of its bucket; an object that is not
 * there is an error.
 */
export interface S3Controls {
  addFault(fault: S3Fault): Promise<void>;
  /** Forgets the faults that have not happened. */
  clearFaults(): Promise<void>;
  /** Sets the server's clock ahead (or behind, below 0) of this machine's. */
  setClockOffset(ms: number): Promise<void>;
  /** Makes a key known, or renews it: another secret, another token, another end. */
  addCredential(credential: S3Credential): Promise<void>;
  removeCredential(accessKeyId: string): Promise<void>;
  /** Ends a credential's session now: `ExpiredToken` from here on. */
  expireCredential(accessKeyId: string): Promise<void>;
  /** The last requests (at most 100,000), in the order in which they were decided. */
  requests(): Promise<readonly S3RequestRecord[]>;
  forgetRequests(): Promise<void>;
  /** The bucket's objects, in the order of lists. */
  objects(): Promise<readonly S3ObjectFacts[]>;
  unfinishedUploads(): Promise<readonly S3UploadFacts[]>;
  counts(): Promise<{ readonly objects: number; readonly unfinishedUploads: number }>;
  /** Loses an object, as if it had never been written. */
  loseObject(key: string): Promise<void>;
  /** Cuts an object; its entity tag and checksum stay those of the whole. */
  truncateObject(key: string, sizeBytes: number): Promise<void>;
  /** Turns over one bit of a stored byte; everything said of the object stays. */
  corruptObject(key: string, atByte: number): Promise<void>;
  /** Moves an object to an archive, as a lifecycle rule does. */
  archiveObject(key: string, storageClass?: "GLACIER" | "DEEP_ARCHIVE"): Promise<void>;
  /** Finishes a restore that was asked for: the object can be read for as long as was asked. */
  finishRestore(key: string): Promise<void>;
  /** Ends the time of a restored copy: the object must be restored again. */
  expireRestore(key: string): Promise<void>;
}

/** What the controls reach. */
export interface ControlledParts {
  readonly blobs: Blobs;
  readonly bucket: Bucket;
  readonly credentials: CredentialStore;
  readonly faults: Faults;
  readonly log: RequestLog;
  readonly clock: { offsetMs: number };
  now(): number;
}

/** The controls of a double in this process. */
export class LocalControls implements S3Controls {
  readonly #parts: ControlledParts;

  constructor(parts: ControlledParts) {
    this.#parts = parts;
  }

  async addFault(fault: S3Fault): Promise<void> {
    this.#parts.faults.add(fault);
  }

  async clearFaults(): Promise<void> {
    this.#parts.faults.clear();
  }

  async setClockOffset(ms: number): Promise<void> {
    this.#parts.clock.offsetMs = ms;
  }

  async addCredential(credential: S3Credential): Promise<void> {
    this.#parts.credentials.set(credential);
  }

  async removeCredential(accessKeyId: string): Promise<void> {
    this.#parts.credentials.remove(accessKeyId);
  }

  async expireCredential(accessKeyId: string): Promise<void> {
    this.#parts.credentials.expire(accessKeyId, this.#parts.now());
  }

  async requests(): Promise<readonly S3RequestRecord[]> {
    return this.#parts.log.all();
  }

  async forgetRequests(): Promise<void> {
    this.#parts.log.clear();
  }

  async objects(): Promise<readonly S3ObjectFacts[]> {
    const { bucket } = this.#parts;
    return bucket.keys.all().map((key) => {
      const { size, etag, storageClass, encryption, headers, checksum } = this.#object(key);
      const restore = restoreState(this.#object(key), this.#parts.now());
      return { key, size, etag, storageClass, encryption, headers, checksum, restore };
    });
  }

  async unfinishedUploads(): Promise<readonly S3UploadFacts[]> {
    return [...this.#parts.bucket.uploads.values()].map(({ id, key, parts }) => {
      const bytes = [...parts.values()].reduce((sum, part) => sum + part.size, 0);
      return { id, key, parts: parts.size, bytes };
    });
  }

  async counts(): Promise<{ readonly objects: number; readonly unfinishedUploads: number }> {
    const { bucket } = this.#parts;
    return { objects: bucket.size, unfinishedUploads: bucket.uploads.size };
  }

  async loseObject(key: string): Promise<void> {
    this.#object(key);
    this.#parts.bucket.delete(key);
  }

  async truncateObject(key: string, sizeBytes: number): Promise<void> {
    const object = this.#object(key);
    if (sizeBytes >= object.size) throw new Error(`${key} has ${object.size} bytes only.`);
    const segments = sliceSegments(object.segments, 0, sizeBytes);
    this.#parts.bucket.change({ ...object, size: sizeBytes, segments });
  }

  async corruptObject(key: string, atByte: number): Promise<void> {
    const object = this.#object(key);
    if (atByte < 0 || atByte >= object.size) throw new Error(`${key} has no byte ${atByte}.`);
    // Another file: copies of the object share this one.
    const blob = await this.#parts.blobs.write(
      withBitTurned(readSegments(object.segments), atByte),
    );
    this.#parts.bucket.put({ ...object, segments: [wholeOf(blob)] });
  }

  async archiveObject(
    key: string,
    storageClass: "GLACIER" | "DEEP_ARCHIVE" = "GLACIER",
  ): Promise<void> {
    const { restore: _, ...object } = this.#object(key);
    this.#parts.bucket.change({ ...object, storageClass });
  }

  async finishRestore(key: string): Promise<void> {
    const object = this.#object(key);
    const now = this.#parts.now();
    if (object.restore === undefined || restoreState(object, now) !== "ongoing") {
      throw new Error(`No restore of ${key} goes on.`);
    }
    const { days } = object.restore;
    const until = restoredUntil(now, days);
    this.#parts.bucket.change({ ...object, restore: { days, until } });
  }

  async expireRestore(key: string): Promise<void> {
    const { restore, ...object } = this.#object(key);
    if (restore === undefined) throw new Error(`${key} is not restored.`);
    this.#parts.bucket.change(object);
  }

  #object(key: string): StoredObject {
    const object = this.#parts.bucket.get(key);
    if (object === undefined) throw new Error(`The double has no object ${key}.`);
    return object;
  }
}

async function* withBitTurned(
  source: AsyncIterable<Buffer>,
  atByte: number,
): AsyncGenerator<Buffer> {
  let offset = 0;
  for await (const bytes of source) {
    const at = atByte - offset;
    if (at >= 0 && at < bytes.length) bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
    offset += bytes.length;
    yield bytes;
  }
}

/** The names of the controls, for those that are called from another process. */
export const controlNames = [
  "addFault",
  "clearFaults",
  "setClockOffset",
  "addCredential",
  "removeCredential",
  "expireCredential",
  "requests",
  "forgetRequests",
  "objects",
  "unfinishedUploads",
  "counts",
  "loseObject",
  "truncateObject",
  "corruptObject",
  "archiveObject",
  "finishRestore",
  "expireRestore",
] as const satisfies readonly (keyof S3Controls)[];
