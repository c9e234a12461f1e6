import type { CompletedPart } from "@aws-sdk/client-s3";
import type { ContentAddress } from "@store/identity";
import { nameOf, s3Failure, stagedNotFound, statusOf } from "../requests/failure.ts";
import type { PartBytes } from "../bytes/held-bytes.ts";
import type { Key } from "../layout.ts";
import type { PartTarget } from "./part-writer.ts";
import type { Piece } from "./piece-chain.ts";
import type { Place } from "../place.ts";
import { assertSameSize, existingBytes } from "./put-object.ts";
import { knownDigest, knownDigestStep, storageClassInput } from "../requests/put-bytes.ts";
import { listsWrongly } from "../requests/short-answers.ts";
import { abortUpload, putRecord, removeRecord } from "./upload-records.ts";

interface DonePart {
  readonly part: CompletedPart;
  readonly sizeBytes: number;
}

/** A multipart upload to an object's own key, which becomes visible when it is completed. */
export class MultipartUpload implements PartTarget {
  readonly address: ContentAddress;
  readonly #place: Place;
  readonly #id: string;
  readonly #key: Key;
  readonly #uploadId: string;
  readonly #parts: Map<number, DonePart>;

  private constructor(place: Place, to: UploadTarget, uploadId: string, parts: DonePart[]) {
    this.#place = place;
    this.#id = to.id;
    this.address = to.address;
    this.#key = place.layout.object(to.address);
    this.#uploadId = uploadId;
    this.#parts = new Map(parts.map((done) => [done.part.PartNumber ?? 0, done]));
  }

  /** Begins an upload, with a record by which a sweep finds it. */
  static async begin(
    place: Place,
    to: UploadTarget,
    storageClass: string | undefined,
  ): Promise<MultipartUpload> {
    const { id, address } = to;
    try {
      await putRecord(place, address, id);
      const { UploadId: uploadId = "" } = await place.attempt((client) =>
        client.send(
          new place.sdk.CreateMultipartUploadCommand({
            Bucket: place.bucket,
            Key: place.layout.object(address),
            ContentType: "application/octet-stream",
            ...(place.settings.flexibleChecksums
              ? { ChecksumAlgorithm: place.partSum === "crc32" ? "CRC32" : "SHA256" }
              : {}),
            ...place.encryption,
            ...storageClassInput(storageClass),
          }),
        ),
      );
      await putRecord(place, address, id, uploadId);
      return new MultipartUpload(place, to, uploadId, []);
    } catch (error) {
      throw s3Failure(error, `begin the upload of ${address}`, address);
    }
  }

  /** Goes on with an upload behind its last part that has none missing before it. */
  static async reopen(place: Place, to: UploadTarget, uploadId: string): Promise<MultipartUpload> {
    try {
      const parts = await listParts(place, place.layout.object(to.address), uploadId);
      const gap = parts.findIndex(({ part }, index) => part.PartNumber !== index + 1);
      const whole = gap === -1 ? parts : parts.slice(0, gap);
      return new MultipartUpload(place, to, uploadId, whole);
    } catch (error) {
      if (nameOf(error) === "NoSuchUpload") throw stagedNotFound(to.id);
      throw s3Failure(error, `resume the upload of ${to.address}`, to.address);
    }
  }

  get partCount(): number {
    return this.#parts.size;
  }

  get sizeBytes(): number {
    return [...this.#parts.values()].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }

  hasPart(index: number): boolean {
    return this.#parts.has(index + 1);
  }

  async send(index: number, _offset: number, bytes: PartBytes): Promise<void> {
    const place = this.#place;
    const sum = bytes.sum(place.settings.flexibleChecksums);
    try {
      const { ETag } = await place.attempt((client) => {
        const command = new place.sdk.UploadPartCommand({
          ...this.#part(index),
          Body: bytes.body(),
          ContentLength: bytes.sizeBytes,
          ...sum.checksum,
        });
        command.middlewareStack.add(knownDigest(sum), knownDigestStep);
        return client.send(command);
      });
      this.#done(index, { ETag, ...sum.checksum }, bytes.sizeBytes);
    } catch (error) {
      throw this.#failure(error, "send a part of");
    }
  }

  /** Has the store copy a staged piece as a part. */
  async copy(index: number, piece: Piece): Promise<void> {
    const place = this.#place;
    // Slashes stay as they are; nothing else of our keys and buckets needs an escape.
    const source = `${place.bucket}/${piece.key}`.split("/").map(encodeURIComponent).join("/");
    try {
      const { CopyPartResult: result } = await place.attempt((client) =>
        client.send(
          new place.sdk.UploadPartCopyCommand({ ...this.#part(index), CopySource: source }),
        ),
      );
      const { ETag, ChecksumCRC32, ChecksumSHA256 } = result ?? {};
      this.#done(index, { ETag, ChecksumCRC32, ChecksumSHA256 }, piece.sizeBytes);
    } catch (error) {
      if (nameOf(error) === "NoSuchKey") throw stagedNotFound(this.#id);
      throw this.#failure(error, "copy a part of");
    }
  }

  /** Makes the object of the parts. Resolves with whether it was there before. */
  async complete(): Promise<boolean> {
    const { sizeBytes } = this;
    const existed = await this.#complete(sizeBytes);
    // What is left of the upload, if anything, a sweep finds by its record.
    if (existed) await this.abort().catch(() => undefined);
    else await removeRecord(this.#place, this.address, this.#id).catch(() => undefined);
    return existed;
  }

  async abort(): Promise<void> {
    await abortUpload(this.#place, { key: this.#key, uploadId: this.#uploadId });
    await removeRecord(this.#place, this.address, this.#id);
  }

  async #complete(sizeBytes: number): Promise<boolean> {
    const place = this.#place;
    const { conditionalWrites } = place.settings;
    const parts = [...this.#parts.values()]
      .map(({ part }) => part)
      .toSorted((one, other) => (one.PartNumber ?? 0) - (other.PartNumber ?? 0));
    try {
      // Also where there are conditions: some stores take that of a Complete and ignore it.
      if (await this.#stands(sizeBytes)) return true;
      await place.attempt((client) =>
        client.send(
          new place.sdk.CompleteMultipartUploadCommand({
            Bucket: place.bucket,
            Key: this.#key,
            UploadId: this.#uploadId,
            MultipartUpload: { Parts: parts },
            ...(conditionalWrites ? { IfNoneMatch: "*" } : {}),
          }),
        ),
      );
      return false;
    } catch (error) {
      return this.#completed(error, sizeBytes);
    }
  }

  /** Whether a Complete that failed has found the object there, or made it all the same. */
  async #completed(error: unknown, sizeBytes: number): Promise<boolean> {
    const name = nameOf(error);
    const isTaken = statusOf(error) === 412 || name === "ConditionalRequestConflict";
    const isGone = name === "NoSuchUpload";
    if ((isTaken || isGone) && (await this.#stands(sizeBytes))) return isTaken;
    if (isGone) throw stagedNotFound(this.#id);
    throw this.#failure(error, "complete");
  }

  async #stands(sizeBytes: number): Promise<boolean> {
    const existing = await existingBytes(this.#place, this.address);
    if (existing !== undefined) assertSameSize(this.address, existing, sizeBytes);
    return existing !== undefined;
  }

  #part(index: number) {
    const { bucket: Bucket } = this.#place;
    return { Bucket, Key: this.#key, UploadId: this.#uploadId, PartNumber: index + 1 };
  }

  #done(index: number, part: Omit<CompletedPart, "PartNumber">, sizeBytes: number): void {
    const PartNumber = index + 1;
    this.#parts.set(PartNumber, { part: { PartNumber, ...part }, sizeBytes });
  }

  #failure(error: unknown, verb: string): Error {
    if (nameOf(error) === "NoSuchUpload") return stagedNotFound(this.#id);
    return s3Failure(error, `${verb} ${this.address}`, this.address);
  }
}

/** Which object is uploaded to, and by which staged bytes. */
export interface UploadTarget {
  readonly id: string;
  readonly address: ContentAddress;
}

/** The parts that have arrived, in order. Throws as the SDK does. */
export async function listParts(place: Place, key: Key, uploadId: string): Promise<DonePart[]> {
  const input = { Bucket: place.bucket, Key: key, UploadId: uploadId };
  const parts: DonePart[] = [];
  for (let marker: string | undefined; ;) {
    const from = marker === undefined ? {} : { PartNumberMarker: marker };
    const page = await place.attempt((client) =>
      client.send(new place.sdk.ListPartsCommand({ ...input, ...from })),
    );
    for (const { PartNumber, ETag, ChecksumCRC32, ChecksumSHA256, Size = 0 } of page.Parts ?? []) {
      const part = { PartNumber, ETag, ChecksumCRC32, ChecksumSHA256 };
      parts.push({ part, sizeBytes: Size });
    }
    const next = page.NextPartNumberMarker;
    if (page.IsTruncated !== true || next === undefined) return parts;
    if (Number(next) <= Number(marker ?? 0)) throw listsWrongly();
    marker = next;
  }
}
