import type { ContentAddress } from "@store/identity";

import type { ExpectedContent, Page, PageOptions } from "../types.ts";

/**
 * An upload: bytes that arrive in any number of requests, to any process of the instance, and end
 * as an object. It belongs to the actor who created it; nobody else finds it.
 */
export interface UploadInfo {
  /** The upload's UUIDv7. */
  readonly id: string;
  readonly actor: string;
  /** `complete`: all bytes are there, hold their claims and are an object. */
  readonly status: "open" | "complete";
  /** Bytes that are durable; the next append begins here. */
  readonly offsetBytes: number;
  /** The size that was declared, where it was; the offset reaches it and never passes it. */
  readonly sizeBytes?: number;
  /** What the creator said of it. */
  readonly metadata: UploadMetadata;
  /** The object, once complete: `blake3:<64 hex>`. */
  readonly address?: ContentAddress;
  /** The object's other digest, once complete: `sha256:<64 hex>`. */
  readonly sha256?: ContentAddress;
  readonly createdAt: string;
  /** When the upload ends, complete or not, unless it changes before. */
  readonly expiresAt: string;
}

/** Texts by name, together at most 8 KiB as JSON. */
export type UploadMetadata = Readonly<Record<string, string>>;

export interface CreateUploadInput {
  /** The size in bytes, where it is known already; `setUploadSize` says it later. */
  readonly sizeBytes?: number;
  /** Claims about the whole, checked at the end: false ones end the upload. */
  readonly expect?: ExpectedContent;
  /** `retention_class` is that of what will point at the object: a hint to its backend. */
  readonly metadata?: UploadMetadata;
}

/** Which checksums of one append can be checked. */
export type ChecksumAlgorithm = "md5" | "sha1" | "sha256" | "sha512";

export interface AppendUploadOptions {
  /** Gives the append up; what arrived before is kept. Not heeded while the object is made. */
  readonly signal?: AbortSignal;
  /**
   * The checksum of what this source gives. Nothing of it is kept unless it is right
   * (`digest_mismatch`) and the source came to its end.
   */
  readonly checksum?: { readonly algorithm: ChecksumAlgorithm; readonly digest: Uint8Array };
}

export interface GetUploadOptions {
  /**
   * Ends an append that is under way first, and looks what is really durable after a crash: the
   * offset is then the one that the next append needs. For the client that continues.
   */
  readonly settled?: boolean;
}

/** Names a complete upload of the same actor, where an address could stand. */
export interface UploadReference {
  readonly upload: string;
}

/** Resumable uploads. Another actor's upload, and one that has expired, is `upload_not_found`. */
export interface Uploads {
  /**
   * Begins an upload. An upload of 0 bytes is complete at once.
   *
   * @throws {StoreError} `limit_exceeded` for too large an upload or too many open ones
   */
  createUpload(input?: CreateUploadInput): Promise<UploadInfo>;
  getUpload(uploadId: string, options?: GetUploadOptions): Promise<UploadInfo>;
  /** The actor's uploads, open and complete, oldest first. */
  listUploads(page?: PageOptions): Promise<Page<UploadInfo>>;
  /**
   * Says how large an upload is that was begun without its size. The same size again is success;
   * `upload_conflict` for another, or for one that the bytes have passed. The upload completes if
   * all bytes are there.
   */
  setUploadSize(uploadId: string, sizeBytes: number): Promise<UploadInfo>;
  /**
   * Appends what the source gives, at the offset that the upload has. Whatever ends the source or
   * this call, all that arrived is made durable and counted before it settles. Once the offset
   * reaches the size, the bytes become an object and the upload is complete.
   *
   * An append that is under way elsewhere is asked to end: it keeps what it has and throws
   * `upload_locked`, and this one follows.
   *
   * @throws {StoreError} `upload_conflict` where the upload has another offset (`actual`) or is
   *   complete; `upload_locked` where the other append does not end; `size_mismatch` for more
   *   bytes than declared, of which those that fit are kept; `limit_exceeded`; `digest_mismatch`
   *   where the whole is not what was expected, which ends the upload; `aborted`; `closed`; and
   *   what the source throws, as it is
   */
  appendUpload(
    uploadId: string,
    offsetBytes: number,
    source: AsyncIterable<Uint8Array>,
    options?: AppendUploadOptions,
  ): Promise<UploadInfo>;
  /**
   * Ends an upload and discards its bytes; files that were added from it stay. Absent is success.
   */
  cancelUpload(uploadId: string): Promise<void>;
  /** How many uploads of all actors are open. */
  countOpenUploads(): Promise<number>;
}

/** How many uploads there may be, how large, and for how long. */
export interface UploadLimits {
  /** The largest object that is accepted, in bytes; none is refused for its size unless given. */
  readonly objectLimitBytes?: number;
  /** How long an upload lives after its last change; 24 hours unless given. */
  readonly uploadMs?: number;
  /** Open uploads of one actor; 1,000 unless given. */
  readonly openUploadsPerActor?: number;
  /** Open uploads of all actors; 10,000 unless given. */
  readonly openUploads?: number;
  /**
   * How long the lock of a process on an upload outlives its last renewal: after a crash the
   * upload waits for so long. 8 seconds unless given; at least 1 second.
   */
  readonly uploadLockMs?: number;
}
