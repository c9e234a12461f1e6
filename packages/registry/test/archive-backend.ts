import { StoreError, type ContentAddress } from "@store/identity";
import type { ObjectRetrieval, StorageBackend } from "@store/storage";
import { createMemoryBackend } from "@store/storage/memory";

/** Memory with an archive, as S3 has Glacier: what is in it can be read only after a restore. */
export interface ArchiveBackend extends StorageBackend {
  /** Moves an object into the archive, as a lifecycle rule would. */
  freeze(address: ContentAddress): void;
  /** Lets every restore that was asked for come to its end. */
  thaw(until: string): void;
  /** Ends every restore that has come. */
  expire(): void;
  /** Whether new objects go straight into the archive. */
  takesColdOnly: boolean;
  /** How often the archive was asked for an object. */
  readonly asked: number;
}

export function createArchiveBackend(): ArchiveBackend {
  const inner = createMemoryBackend();
  const frozen = new Map<ContentAddress, ObjectRetrieval>();
  let asked = 0;

  function setAll(from: ObjectRetrieval["restore"], to: ObjectRetrieval): void {
    for (const [address, { restore }] of frozen) if (restore === from) frozen.set(address, to);
  }

  const backend: ArchiveBackend = {
    kind: "archive",
    capabilities: { ...inner.capabilities, restores: true },
    takesColdOnly: false,
    get asked() {
      return asked;
    },
    freeze: (address) => void frozen.set(address, { tier: "archive", restore: "none" }),
    thaw: (restoredUntil) =>
      setAll("requested", { tier: "archive", restore: "restored", restoredUntil }),
    expire: () => setAll("restored", { tier: "archive", restore: "none" }),

    stage: async (options) => {
      const staged = await inner.stage(options);
      return new Proxy(staged, {
        get: (target, name) => {
          if (name !== "commit") {
            const value: unknown = Reflect.get(target, name);
            return typeof value === "function" ? value.bind(target) : value;
          }
          return async (address: ContentAddress) => {
            const receipt = await target.commit(address);
            if (backend.takesColdOnly && !receipt.existed) backend.freeze(address);
            return receipt;
          };
        },
      });
    },
    resume: (id) => inner.resume(id),
    open: async function* (address, options) {
      const { restore } = frozen.get(address) ?? { restore: "restored" };
      if (restore !== "restored") {
        throw new StoreError("restore_required", `${address} lies in an archive.`);
      }
      yield* inner.open(address, options);
    },
    stat: async (address) => {
      const stat = await inner.stat(address);
      const retrieval = frozen.get(address);
      return stat === undefined || retrieval === undefined ? stat : { ...stat, retrieval };
    },
    remove: async (address) => {
      await inner.remove(address);
      frozen.delete(address);
    },
    restore: async (address) => {
      asked += 1;
      const retrieval = frozen.get(address);
      if (retrieval === undefined) return { tier: "hot", restore: "none" };
      if (retrieval.restore !== "none") return retrieval;
      frozen.set(address, { tier: "archive", restore: "requested" });
      return { tier: "archive", restore: "requested" };
    },
    presign: (address, options) => inner.presign(address, options),
    enumerate: (after) => inner.enumerate(after),
    listStaged: () => inner.listStaged(),
    discardStaged: (id) => inner.discardStaged(id),
    health: () => inner.health(),
    close: () => inner.close(),
  };
  return backend;
}
