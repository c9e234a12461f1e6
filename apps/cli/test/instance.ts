import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

import { openRegistry, type Registry } from "@store/registry";
import type { StorageBackend } from "@store/storage";
import { openLocalStorage } from "@store/storage-local";

/** Opens the instance of a sandbox in this process, to look at what the command line left there. */
export async function lookInto(
  data: string,
): Promise<{ registry: Registry; storage: StorageBackend } & AsyncDisposable> {
  const storage = await openLocalStorage({ root: join(data, "objects") });
  const registry = await openRegistry({
    database: `sqlite:${join(data, "store.db")}`,
    backends: { primary: storage },
    actor: "test",
  });
  return {
    registry,
    storage,
    async [Symbol.asyncDispose]() {
      await registry.close();
      await storage.close();
    },
  };
}

/** What is staged, and the packages that are open. */
export async function unfinished(data: string): Promise<{ staged: number; open: number }> {
  await using instance = await lookInto(data);
  const { items } = await instance.registry.listPackages({ status: "open" });
  const staged = await Array.fromAsync(instance.storage.listStaged());
  return { staged: staged.length, open: items.length };
}

/** Waits until something has come about, and fails if it does not. */
export async function eventually(condition: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 1000; attempt += 1) {
    if (await condition()) return;
    await setTimeout(20);
  }
  throw new Error(`It did not come about: ${condition.toString()}`);
}
