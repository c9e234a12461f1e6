import type { ContentAddress } from "@store/identity";
import type { ObjectRetrieval, StorageBackend } from "@store/storage";
import { createMemoryBackend } from "@store/storage/memory";

/** A backend in memory with an archive, in which those objects lie that are put there. */
export interface ColdStorage {
  readonly backend: StorageBackend;
  archive(address: ContentAddress): void;
}

const hot: ObjectRetrieval = { tier: "hot", restore: "none" };

export function createColdStorage(): ColdStorage {
  const memory = createMemoryBackend();
  const archived = new Map<ContentAddress, ObjectRetrieval>();
  const restore: StorageBackend["restore"] = async (address) => {
    if (!archived.has(address)) return hot;
    const requested: ObjectRetrieval = { tier: "archive", restore: "requested" };
    archived.set(address, requested);
    return requested;
  };
  const stat: StorageBackend["stat"] = async (address) => {
    const found = await memory.stat(address);
    const retrieval = archived.get(address);
    return found === undefined || retrieval === undefined ? found : { ...found, retrieval };
  };
  const capabilities = { ...memory.capabilities, restores: true };
  const own: Partial<StorageBackend> = { restore, stat, capabilities };
  return {
    backend: new Proxy(memory, {
      get(target, name: keyof StorageBackend) {
        const member = own[name] ?? target[name];
        return typeof member === "function" ? member.bind(target) : member;
      },
    }),
    archive: (address) => void archived.set(address, { tier: "archive", restore: "none" }),
  };
}
