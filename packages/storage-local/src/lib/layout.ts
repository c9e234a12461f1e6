import { randomUUID } from "node:crypto";
import {
  type ContentAddress,
  type DigestAlgorithm,
  digestAlgorithms,
  isContentAddress,
  parseContentAddress,
} from "@store/identity";

/**
 * Where everything is below a root. Keys have `/` on every system and no other part than what is
 * made here from a parsed address or a checked id, so that none can lead out of the root.
 *
 *     format.json                           names this layout and its version
 *     staging/<lease>.<UUID>                bytes on their way
 *     <algorithm>/<hex 0-2>/<hex 2-4>/<hex> the object with that address
 */
export const layoutName = "store-objects";
export const layoutVersion = 1;
export const formatFile = "format.json";
export const stagingFolder = "staging";

/** A file or folder, relative to the root. */
export type Key = string;

/** The path of what has a key. Keys need no normalizing, which `path.join` would spend time on. */
export function pathIn(root: string, key: Key): string {
  return `${root}/${key}`;
}

/** The folder that an object stands in, and its own name. */
export interface ObjectKey {
  readonly folder: Key;
  readonly key: Key;
}

/** Throws `invalid_digest` for what is no content address. */
export function objectKey(address: ContentAddress): ObjectKey {
  const [algorithm, hex = ""] = parseContentAddress(address).split(":");
  const folder = `${algorithm}/${hex.slice(0, 2)}/${hex.slice(2, 4)}`;
  return { folder, key: `${folder}/${hex}` };
}

/** The folder that a key stands in; the root is "". */
export function parentOf(key: Key): Key {
  return key.slice(0, Math.max(key.lastIndexOf("/"), 0));
}

/** The algorithms' folders in the order of their objects' addresses. */
export const algorithmFolders: readonly DigestAlgorithm[] = digestAlgorithms.toSorted();

const shardName = /^[0-9a-f]{2}$/;

/** Whether a name is one of a folder of the first or second level of shards. */
export function isShard(name: string): boolean {
  return shardName.test(name);
}

/** The address of the file `name` in a shard, or undefined if no object of ours has that name. */
export function addressOfFile(
  algorithm: DigestAlgorithm,
  shard: string,
  name: string,
): ContentAddress | undefined {
  const address = `${algorithm}:${name}`;
  return name.startsWith(shard) && isContentAddress(address) ? address : undefined;
}

const stagedName = /^(?<lease>[a-z0-9-]{1,64})\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** A new staged id; it is the name of the file in the staging folder. */
export function newStagedId(lease: string): string {
  return `${lease}.${randomUUID()}`;
}

/** The lease in a staged id, or undefined if `id` is none. */
export function leaseOf(id: string): string | undefined {
  return typeof id === "string" ? stagedName.exec(id)?.groups?.lease : undefined;
}

/** The key of staged bytes. The id must have passed {@link leaseOf}. */
export function stagedKey(id: string): Key {
  return `${stagingFolder}/${id}`;
}
