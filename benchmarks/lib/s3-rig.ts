import { statfsSync } from "node:fs";

import { type ContentAddress, digestOf } from "@store/identity";
import type { StorageBackend } from "@store/storage";
import { openS3Storage } from "@store/storage-s3";
import { type S3DoubleProcess, startS3DoubleProcess } from "@store/testing/s3-double-process";

import { BareS3 } from "./bare-s3.ts";
import { ProcessorLoad } from "./processor-load.ts";

const gibibyte = 1024 ** 3;
const memoryFolder = "/dev/shm";

/** A double of S3 in a process of its own, our backend on it, and the SDK by itself. */
export class S3Rig implements AsyncDisposable {
  readonly backend: StorageBackend;
  readonly bare: BareS3;
  readonly load: ProcessorLoad;
  readonly #double: S3DoubleProcess;

  private constructor(double: S3DoubleProcess, backend: StorageBackend) {
    this.#double = double;
    this.backend = backend;
    this.bare = new BareS3(double);
    this.load = new ProcessorLoad({ "the double": double.pid });
  }

  /**
   * The double saves what it hashes of its own accord, and where there is a file system in memory
   * with room, its files lie there: what is measured is the client.
   */
  static async open(): Promise<S3Rig> {
    const parentFolder = hasMemoryFolder() ? { parentFolder: memoryFolder } : {};
    const double = await startS3DoubleProcess({ quick: true, ...parentFolder });
    const { endpoint, region, credentials, bucket } = double;
    const place = { endpoint, region, credentials, bucket, pathStyle: true };
    return new S3Rig(double, await openS3Storage(place));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.bare.close();
    await this.backend.close();
    await this.#double.close();
  }
}

/** What has to be known of the place to read the figures. */
export const s3RigNote =
  "S3 is a double in a process of its own on the same machine, with its files in memory: it checks " +
  "signatures and the checksums that it is sent, and makes none of its own accord.";

function hasMemoryFolder(): boolean {
  try {
    const { bavail, bsize } = statfsSync(memoryFolder);
    return bavail * bsize > 8 * gibibyte;
  } catch {
    return false;
  }
}

/** Where our backend, which has no prefix here, keeps an object. */
export function keyOf(address: ContentAddress): string {
  const { algorithm, hex } = digestOf(address);
  return `${algorithm}/${hex.slice(0, 2)}/${hex.slice(2, 4)}/${hex}`;
}
