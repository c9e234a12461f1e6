import { parseContentAddress, type ContentAddress } from "@store/identity";
import type {
  CreatePackageInput,
  ObjectWorkProgress,
  OpenRegistryOptions,
  Registry,
} from "@store/registry";
import type { StorageBackend } from "@store/storage";
import { createMemoryBackend } from "@store/storage/memory";

import { bytesOf, openTestInstance, type Dialect, type TestInstance } from "./instance.ts";

/** An instance with three backends in memory: `primary`, `second` and `third`. */
export interface CopiesWorld extends TestInstance {
  readonly backends: Readonly<Record<"primary" | "second" | "third", StorageBackend>>;
}

export async function openCopiesWorld(
  dialect: Dialect,
  options: Partial<OpenRegistryOptions> & { readonly inFile?: boolean } = {},
): Promise<CopiesWorld> {
  const backends = {
    primary: createMemoryBackend(),
    second: createMemoryBackend(),
    third: createMemoryBackend(),
    ...options.backends,
  };
  const instance = await openTestInstance(dialect, { ...options, backends });
  return { ...instance, backends };
}

/** A finalized package with a file for each content; the addresses of the files. */
export async function store(
  registry: Registry,
  version: string,
  contents: readonly (string | Uint8Array)[],
  described: Pick<CreatePackageInput, "retentionClass"> = {},
): Promise<ContentAddress[]> {
  const coordinates = { namespace: "acme", name: "app", version };
  const pkg = await registry.createPackage({ ...coordinates, ...described });
  const addresses: ContentAddress[] = [];
  for (const [index, content] of contents.entries()) {
    const added = await registry.ingestFile(pkg.id, `file-${index}`, bytesOf(content));
    addresses.push(added.address);
  }
  await registry.finalizePackage(pkg.id);
  return addresses;
}

/** Texts that differ from each other, and from those of another name. */
export function textsOf(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${name} ${index}\n`);
}

/** Puts other bytes of the same size where an object was. */
export async function corrupt(backend: StorageBackend, address: ContentAddress): Promise<void> {
  const bytes = Buffer.concat(await Array.fromAsync(backend.open(address)));
  await backend.remove(address);
  bytes[0] = (bytes[0] ?? 0) ^ 1;
  const staged = await backend.stage({ lease: "tamper" });
  await staged.write(bytes);
  await staged.commit(address);
}

/** Puts fewer bytes where an object was. */
export async function truncate(backend: StorageBackend, address: ContentAddress): Promise<void> {
  const bytes = Buffer.concat(await Array.fromAsync(backend.open(address)));
  await backend.remove(address);
  const staged = await backend.stage({ lease: "tamper" });
  await staged.write(bytes.subarray(1));
  await staged.commit(address);
}

/** The last progress of a walk, with the problems of all. */
export async function finish(walk: AsyncIterable<ObjectWorkProgress>): Promise<ObjectWorkProgress> {
  const all = await Array.fromAsync(walk);
  const last = all.at(-1);
  if (last === undefined) throw new Error("A walk gives progress.");
  return { ...last, problems: all.flatMap(({ problems }) => problems) };
}

/** What stands at a backend, in order. */
export async function addressesAt(backend: StorageBackend): Promise<ContentAddress[]> {
  return (await Array.fromAsync(backend.enumerate())).map(({ address }) => address);
}

/** The types of the events about copies and backends since a place, oldest first. */
export async function copyEvents(registry: Registry, after = 0): Promise<string[]> {
  const types: string[] = [];
  for (let at = after; ;) {
    const { items, scannedTo, head } = await registry.readEvents({ after: at, limit: 1_000 });
    types.push(...items.map(({ type }) => type));
    at = scannedTo;
    if (at >= head) break;
  }
  return types.filter((type) => /^v1\.(object|backend)\./.test(type));
}

/** Where the instance says that an object is, and how each copy is: `primary ok`. */
export async function placesOf(registry: Registry, address: ContentAddress): Promise<string[]> {
  const { copies } = await registry.locateObject(parseContentAddress(address));
  return copies.map(({ backend, status }) => `${backend} ${status}`);
}

/** The rows of what replaying the log would give otherwise. */
export async function differences(registry: Registry): Promise<unknown> {
  return (await registry.replay({ check: true })).differences;
}
