import { type ContentAddress, StoreError } from "@store/identity";
import type { PartBytes } from "../bytes/held-bytes.ts";
import { MultipartUpload, type UploadTarget } from "./multipart.ts";
import { type PartTarget, PartWriter } from "./part-writer.ts";
import type { Staging } from "./piece-sink.ts";
import type { Place } from "../place.ts";
import type { Sink } from "./sink.ts";
import { discardRecord, readRecord } from "./upload-records.ts";

/**
 * Bytes in a multipart upload to the object that they are claimed to be. It is completed once their
 * digest is known to be right, and so nothing is ever copied.
 */
export class InPlaceSink implements Sink, PartTarget {
  readonly isInBucket = true;
  readonly #place: Place;
  readonly #to: UploadTarget;
  readonly #staging: Staging;
  readonly #parts: PartWriter;
  #beginning: Promise<MultipartUpload> | undefined;

  constructor(place: Place, staging: Staging, claim: ContentAddress, upload?: MultipartUpload) {
    this.#place = place;
    this.#staging = staging;
    this.#to = { id: staging.id, address: claim };
    const index = upload?.partCount ?? 0;
    const offset = upload?.sizeBytes ?? 0;
    const { firstBytes } = staging;
    this.#parts = new PartWriter(place, this, { index, offset, firstBytes });
    if (upload !== undefined) this.#beginning = Promise.resolve(upload);
  }

  get sizeBytes(): number {
    return this.#parts.sizeBytes;
  }

  write(chunk: Uint8Array): Promise<void> {
    return this.#parts.write(chunk);
  }

  async send(index: number, offset: number, bytes: PartBytes): Promise<void> {
    const upload = await this.#upload();
    await upload.send(index, offset, bytes);
  }

  /** A last part that S3 would take only as the last stays in memory. */
  async sync(): Promise<number> {
    this.#parts.flush();
    await this.#parts.landed();
    await this.#upload();
    return this.sizeBytes - this.#parts.pendingBytes;
  }

  async commit(address: ContentAddress): Promise<boolean> {
    if (address !== this.#to.address) throw notClaimed(this.#to.address, address);
    await this.#parts.finish();
    const upload = await this.#upload();
    return upload.complete();
  }

  async discard(): Promise<void> {
    const upload = await this.#beginning?.catch(() => undefined);
    if (upload !== undefined) return upload.abort();
    const { address, id } = this.#to;
    const record = await readRecord(this.#place, address, id);
    if (record !== undefined) await discardRecord(this.#place, record);
  }

  async release(): Promise<void> {
    await this.#parts.end();
  }

  #upload(): Promise<MultipartUpload> {
    const { storageClass } = this.#staging;
    this.#beginning ??= MultipartUpload.begin(this.#place, this.#to, storageClass);
    return this.#beginning;
  }
}

function notClaimed(claim: ContentAddress, address: ContentAddress): StoreError {
  return new StoreError(
    "unsupported",
    `The bytes were staged under the claim ${claim} and are on their way to it: they cannot be ` +
      `committed as ${address}. Stage them without a claim.`,
    { context: { expected: claim, actual: address } },
  );
}
