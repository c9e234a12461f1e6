import { randomBytes } from "node:crypto";
import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  S3Client,
} from "@aws-sdk/client-s3";
import type { StorageBackend } from "@store/storage";
import { openS3Storage, type S3StorageOptions } from "@store/storage-s3";
import type { S3Place } from "@store/testing/s3-double";

/** A part of a server's bucket, looked at from the side by the bare SDK. */
export class Bucket {
  readonly place: S3Place;
  readonly prefix: string;
  readonly client: S3Client;

  constructor(place: S3Place, prefix = `test-${randomBytes(6).toString("hex")}`) {
    const { endpoint, region, credentials } = place;
    this.place = place;
    this.prefix = prefix;
    this.client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
  }

  /** The options by which a backend finds it. */
  get options(): S3StorageOptions {
    const { endpoint, region, bucket, credentials } = this.place;
    return {
      bucket,
      endpoint,
      region,
      credentials,
      prefix: this.prefix,
      pathStyle: true,
    };
  }

  open(options: Partial<S3StorageOptions> = {}): Promise<StorageBackend> {
    return openS3Storage({ ...this.options, ...options });
  }

  async keys(): Promise<string[]> {
    const input = { Bucket: this.place.bucket, Prefix: `${this.prefix}/` };
    const { Contents = [] } = await this.client.send(new ListObjectsV2Command(input));
    return Contents.map(({ Key = "" }) => Key.slice(this.prefix.length + 1));
  }

  async uploads(): Promise<{ readonly key: string; readonly uploadId: string }[]> {
    const input = { Bucket: this.place.bucket, Prefix: `${this.prefix}/` };
    const { Uploads = [] } = await this.client.send(new ListMultipartUploadsCommand(input));
    return Uploads.map(({ Key: key = "", UploadId: uploadId = "" }) => ({ key, uploadId }));
  }

  /** What is in it besides the format file. */
  async leftovers(): Promise<string[]> {
    const keys = (await this.keys()).filter((key) => key !== "format.json");
    return [...keys, ...(await this.uploads()).map(({ key }) => `upload to ${key}`)];
  }

  async dispose(): Promise<void> {
    const { bucket: Bucket } = this.place;
    for (const { key: Key, uploadId: UploadId } of await this.uploads()) {
      await this.client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
    }
    for (const key of await this.keys()) {
      const Key = `${this.prefix}/${key}`;
      await this.client.send(new DeleteObjectCommand({ Bucket, Key }));
    }
    this.client.destroy();
  }
}
