import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { S3Place } from "@store/testing/s3-double";
import { startS3DoubleProcess, type S3DoubleProcess } from "@store/testing/s3-double-process";
import { placeOfEnvironment } from "@store/testing/s3-place";

/** A place for objects that several servers share, and the settings that name it. */
export interface TestBucket extends AsyncDisposable {
  readonly env: Readonly<Record<string, string>>;
  /** Where the file of the settings is, at which paths of other backends start. */
  readonly folder: string;
  /** The keys of its objects begin so. */
  readonly prefix: string;
  /** The double's controls; absent where the environment names a server. */
  readonly double: S3DoubleProcess | undefined;
  /** What is in the double besides objects: keys, and ids of unfinished uploads. */
  leftovers(): Promise<string[]>;
}

export interface BucketOptions {
  /** Further backends, in the form of STORE_STORAGE_FILE. */
  readonly others?: Readonly<Record<string, object>>;
  readonly placement?: object;
}

/**
 * A bucket as the backend `primary`: of the server that `STORE_TEST_S3_ENDPOINT` and the variables
 * beside it name, else of a double in a process of its own.
 */
export async function openBucket(options: BucketOptions = {}): Promise<TestBucket> {
  const given = placeOfEnvironment();
  const double = given === undefined ? await startS3DoubleProcess() : undefined;
  const folder = await mkdtemp(join(tmpdir(), "store-bucket-"));
  const file = join(folder, "storage.json");
  const prefix = `cluster-${randomBytes(6).toString("hex")}`;
  const place = given ?? double;
  if (place !== undefined) await writeFile(file, storageFile(place, prefix, options));
  return {
    env: { STORE_STORAGE_FILE: file },
    folder,
    prefix,
    double,
    leftovers: async () => {
      if (double === undefined) return [];
      const keys = (await double.objects()).map(({ key }) => key.slice(prefix.length + 1));
      const uploads = (await double.unfinishedUploads()).map(({ id, key }) => `${id} of ${key}`);
      return [...keys.filter((key) => !/^(blake3\/|format\.json$)/.test(key)), ...uploads];
    },
    [Symbol.asyncDispose]: async () => {
      await double?.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function storageFile(
  { endpoint, region, bucket, credentials }: S3Place,
  prefix: string,
  { others = {}, placement }: BucketOptions,
): string {
  const primary = {
    kind: "s3",
    bucket,
    prefix,
    region,
    endpoint,
    path_style: true,
    credentials: {
      access_key_id: credentials.accessKeyId,
      secret_access_key: credentials.secretAccessKey,
    },
  };
  return JSON.stringify({ backends: { primary, ...others }, ...(placement && { placement }) });
}
