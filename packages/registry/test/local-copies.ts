import { join } from "node:path";

import { openRegistry, type Registry } from "@store/registry";
import { openLocalStorage } from "@store/storage-local";
import type { StorageBackend } from "@store/storage";

export interface LocalCopies {
  readonly registry: Registry;
  readonly backends: Readonly<Record<"first" | "second" | "third", StorageBackend>>;
  close(): Promise<void>;
}

/** An instance with three backends on disk, as each of several processes opens it. */
export async function openLocalCopies(
  database: string,
  folder: string,
  primary: string,
): Promise<LocalCopies> {
  const [first, second, third] = await Promise.all([
    openLocalStorage({ root: join(folder, "first") }),
    openLocalStorage({ root: join(folder, "second") }),
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
