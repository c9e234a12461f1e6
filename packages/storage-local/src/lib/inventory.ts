import type { ContentAddress, DigestAlgorithm } from "@store/identity";
import type { ObjectStat } from "@store/storage";
import { errnoOf, storageFailure } from "./failure.ts";
import { addressOfFile, algorithmFolders, isShard, type Key } from "./layout.ts";
import { fileSize, type Place } from "./place.ts";

/** How many files' sizes are asked for at a time. */
const BATCH = 32;

/** A file, and how many bytes it has. */
export interface SizedFile<T> {
  readonly name: T;
  readonly sizeBytes: number;
}

/**
 * Every object above `after`, in ascending order of address: algorithm, shards and names sort as
 * the address does. What is no object of the layout is passed over. Holds the names of one folder
 * at a time.
 */
export async function* enumerateObjects(
  place: Place,
  after: ContentAddress | undefined,
): AsyncGenerator<ObjectStat, void, undefined> {
  for (const algorithm of algorithmFolders) {
    const reaches = (prefix: string) => {
      const lowest = `${algorithm}:${prefix}`;
      return after === undefined || lowest >= after.slice(0, lowest.length);
    };
    if (!reaches("")) continue;
    for (const upper of await shardsOf(place, algorithm)) {
      if (!reaches(upper)) continue;
      for (const lower of await shardsOf(place, `${algorithm}/${upper}`)) {
        if (reaches(upper + lower)) yield* objectsOf(place, algorithm, upper, lower, after);
      }
    }
  }
}

async function shardsOf(place: Place, folder: Key): Promise<string[]> {
  return (await namesIn(place, folder)).filter(isShard).toSorted();
}

async function* objectsOf(
  place: Place,
  algorithm: DigestAlgorithm,
  upper: string,
  lower: string,
  after: ContentAddress | undefined,
): AsyncGenerator<ObjectStat, void, undefined> {
  const folder = `${algorithm}/${upper}/${lower}`;
  const addresses = (await namesIn(place, folder))
    .map((name) => addressOfFile(algorithm, upper + lower, name))
    .filter((address) => address !== undefined)
    .filter((address) => after === undefined || address > after)
    .toSorted();
  const keyOf = (address: ContentAddress) => `${folder}/${address.slice(algorithm.length + 1)}`;
  for await (const { name, sizeBytes } of sized(place, addresses, keyOf)) {
    yield { address: name, sizeBytes };
  }
}

/** Those of `names` that are regular files, with their sizes, in the order given. */
export async function* sized<T>(
  place: Place,
  names: readonly T[],
  keyOf: (name: T) => Key,
): AsyncGenerator<SizedFile<T>, void, undefined> {
  for (let start = 0; start < names.length; start += BATCH) {
    const batch = names.slice(start, start + BATCH);
    const sizes = batch.map((name) => fileSize(place, keyOf(name)));
    const found = await Promise.all(sizes).catch((error: unknown) => {
      throw storageFailure(error, "list the storage root");
    });
    for (const [index, name] of batch.entries()) {
      const sizeBytes = found[index];
      if (sizeBytes !== undefined) yield { name, sizeBytes };
    }
  }
}

/** The names in a folder, in no order; none where there is no such folder. */
export async function namesIn(place: Place, folder: Key): Promise<string[]> {
  try {
    return await place.fileSystem.readdir(place.path(folder));
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(errnoOf(error) ?? "")) return [];
    throw storageFailure(error, "list the storage root");
  }
}
