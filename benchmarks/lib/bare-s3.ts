import { hash } from "node:crypto";
import { Readable } from "node:stream";

import {
  DeleteObjectCommand,
  GetObjectCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import type { S3Place } from "@store/testing/s3-double";

const mebibyte = 1024 * 1024;

/** What the SDK does by itself, as its documentation tells one to use it. */
export class BareS3 {
  readonly #client: S3Client;
  readonly #bucket: string;

  constructor({ endpoint, region, credentials, bucket }: S3Place) {
    this.#bucket = bucket;
    this.#client = new S3Client({
      endpoint,
      region,
      credentials,
      forcePathStyle: true,
      // As many as our backend may have; the SDK's own 50 would bound 64 at a time.
      requestHandler: { httpAgent: { maxSockets: 128 } },
    });
  }

  /**
   * An upload in parts of 16 MiB, four at once, with the CRC-32 of each that the SDK makes unless it
   * is told not to. Parts of 8 to 64 MiB and eight at once were no faster.
   */
  async upload(key: string, source: AsyncIterable<Uint8Array>): Promise<void> {
    const upload = new Upload({
      client: this.#client,
      params: { Bucket: this.#bucket, Key: key, Body: Readable.from(source) },
      partSize: 16 * mebibyte,
      queueSize: 4,
    });
    await upload.done();
  }

  /** One request for a small object, unless there is something under the key. */
  async put(key: string, bytes: Uint8Array): Promise<void> {
    const command = new PutObjectCommand({
      Bucket: this.#bucket,
      Key: key,
      Body: bytes,
      IfNoneMatch: "*",
      ChecksumSHA256: hash("sha256", bytes, "base64"),
    });
    await this.#client.send(command);
  }

  /** Calls `take` with each chunk as it comes, and returns how many bytes there were. */
  async get(key: string, take?: (chunk: Uint8Array) => void): Promise<number> {
    const command = new GetObjectCommand({ Bucket: this.#bucket, Key: key });
    const { Body } = await this.#client.send(command);
    if (!(Body instanceof Readable)) throw new Error("The SDK gave no stream of Node's.");
    let sizeBytes = 0;
    for await (const chunk of Body as AsyncIterable<Uint8Array>) {
      sizeBytes += chunk.length;
      take?.(chunk);
    }
    return sizeBytes;
  }

  async remove(key: string): Promise<void> {
    await this.#client.send(new DeleteObjectCommand({ Bucket: this.#bucket, Key: key }));
  }

  close(): void {
    this.#client.destroy();
  }
}
