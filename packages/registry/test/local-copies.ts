import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { openRegistry, type Registry } from "@store/registry";
import { openLocalStorage } from "@store/storage-local";
import type { StorageBackend } from "@store/storage";
import { openS3Storage } from "@store/storage-s3";
import type { S3Place } from "@store/testing/s3-double";

export interface LocalCopies {
  readonly registry: Registry;
  readonly backends: Readonly<Record<"first" | "second" | "third", StorageBackend>>;
  close(): Promise<void>;
}

/** Lets everybody who opens the instance of a folder find its second backend in a bucket. */
export async function useBucket(
  folder: string,
  { endpoint, region, bucket, credentials }: S3Place,
): Promise<void> {
  const place = { endpoint, region, bucket, credentials };
  await writeFile(join(folder, "bucket.json"), JSON.stringify(place));
}

async function openSecond(folder: string): Promise<StorageBackend> {
  const place = await readFile(join(folder, "bucket.json"), "utf8").catch(() => undefined);
  if (place === undefined) return openLocalStorage({ root: join(folder, "second") });
  return openS3Storage({ ...(JSON.parse(place) as S3Place), prefix: "second", pathStyle: true });
}

/** An instance with three backends on disk, as each of several processes opens it. */
export async function openLocalCopies(
  database: string,
  folder: string,
  primary: string,
): Promise<LocalCopies> {
  const [first, second, third] = await Promise.all([
    openLocalStorage({ root: join(folder, "first") }),
    openSecond(folder),
    openLocalStorage({ root: join(folder, "third") }),
  ]);
  const backends = { first, second, third };
  const registry = await openRegistry({
    database,
    backends,
    placement: { primary },
    actor: "walker",
    leaseMs: 1_000,
  });
  return {
    registry,
    backends,
    close: async () => {
      await registry.close();
      await Promise.all([first, second, third].map((backend) => backend.close()));
    },
  };
}
