import { randomBytes } from "node:crypto";
import { release, retain, type Segment } from "./blobs.ts";
import type { ChecksumAlgorithm, ChecksumType, StoredChecksum } from "./checksums.ts";
import { SortedKeys } from "./sorted-keys.ts";

/** How an object is encrypted at rest. The double only keeps and answers it. */
export interface Encryption {
  readonly algorithm: "AES256" | "aws:kms" | "aws:kms:dsse";
  readonly keyId?: string;
  readonly bucketKey?: boolean;
}

/** What a client says of an object when it writes it. */
export interface ObjectAttributes {
  /** Headers that come back with the object, by lower-case name: `x-amz-meta-` and the content's. */
  readonly headers: Readonly<Record<string, string>>;
  readonly storageClass: string;
  readonly encryption: Encryption;
}

/** A part of a finished object. */
export interface ObjectPart {
  readonly number: number;
  readonly size: number;
  readonly checksum: string | undefined;
}

/** A copy of an archived object that can be read for a while. */
export interface Restore {
  /** Milliseconds since 1970; absent while the restore goes on. */
  readonly until?: number;
  readonly days: number;
}

/** An object. It never changes; writing its key again puts another in its place. */
export interface StoredObject extends ObjectAttributes {
  readonly key: string;
  readonly size: number;
  /** Without quotation marks. */
  readonly etag: string;
  /** Milliseconds since 1970. */
  readonly lastModified: number;
  readonly segments: readonly Segment[];
  readonly parts?: readonly ObjectPart[];
  readonly checksum?: StoredChecksum;
  readonly restore?: Restore;
}

/** A part that was uploaded. */
export interface UploadedPart {
  readonly number: number;
  readonly size: number;
  readonly etag: string;
  readonly lastModified: number;
  readonly segments: readonly Segment[];
  readonly checksum: { readonly algorithm: ChecksumAlgorithm; readonly value: string } | undefined;
}

/** A multipart upload that is neither completed nor aborted. */
export interface Upload {
  readonly id: string;
  readonly key: string;
  readonly initiated: number;
  readonly attributes: ObjectAttributes;
  readonly checksum:
    | { readonly algorithm: ChecksumAlgorithm; readonly type: ChecksumType }
    | undefined;
  readonly parts: Map<number, UploadedPart>;
  /** While a Complete of it is at work. */
  completing: boolean;
}

/** A conditional write that is under way. */
export interface PendingWrite {
  /** The key was deleted while it was. */
  conflict: boolean;
}

const mostCompleted = 1000;

/** A bucket without versions. */
export class Bucket {
  readonly name: string;
  readonly created: number;
  readonly keys = new SortedKeys();
  readonly uploads = new Map<string, Upload>();
  /** What the last uploads have become, by their ids. */
  readonly completed = new Map<string, StoredObject>();
  readonly #objects = new Map<string, StoredObject>();
  readonly #pending = new Map<string, Set<PendingWrite>>();

  constructor(name: string, created: number) {
    this.name = name;
    this.created = created;
  }

  get size(): number {
    return this.#objects.size;
  }

  get(key: string): StoredObject | undefined {
    return this.#objects.get(key);
  }

  objects(): Iterable<StoredObject> {
    return this.#objects.values();
  }

  /** Puts the object at its key and takes over the caller's use of its segments. */
  put(object: StoredObject): void {
    const before = this.#objects.get(object.key);
    this.#objects.set(object.key, object);
    if (before === undefined) this.keys.add(object.key);
    else release(before.segments);
  }

  /** Changes what is said of an object whose bytes stay. */
  change(object: StoredObject): void {
    retain(object.segments);
    this.put(object);
  }

  /** Removes the object, if there is one. */
  delete(key: string): void {
    for (const pending of this.#pending.get(key) ?? []) pending.conflict = true;
    const object = this.#objects.get(key);
    if (object === undefined) return;
    this.#objects.delete(key);
    this.keys.remove(key);
    release(object.segments);
  }

  /** Watches a key for the time of a conditional write. */
  watch(key: string): PendingWrite {
    const pending: PendingWrite = { conflict: false };
    const all = this.#pending.get(key) ?? new Set();
    this.#pending.set(key, all.add(pending));
    return pending;
  }

  /** Ends a watch. */
  unwatch(key: string, pending: PendingWrite): void {
    const all = this.#pending.get(key);
    all?.delete(pending);
    if (all?.size === 0) this.#pending.delete(key);
  }

  beginUpload(upload: Omit<Upload, "id" | "parts" | "completing">): Upload {
    const id = randomBytes(48).toString("base64url");
    const begun: Upload = { ...upload, id, parts: new Map(), completing: false };
    this.uploads.set(id, begun);
    return begun;
  }

  /** Keeps what an upload has become, for a Complete that comes again. */
  remember(upload: Upload, object: StoredObject): void {
    this.completed.set(upload.id, object);
    const [oldest] = this.completed.keys();
    if (this.completed.size > mostCompleted && oldest !== undefined) this.completed.delete(oldest);
  }

  /** Forgets an upload and the parts that no object took over. */
  endUpload(upload: Upload): void {
    this.uploads.delete(upload.id);
    for (const part of upload.parts.values()) release(part.segments);
    upload.parts.clear();
  }
}
