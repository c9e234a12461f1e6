import { openRegistry, type Registry } from "@store/registry";
import type { StorageBackend } from "@store/storage";
import { createMemoryBackend } from "@store/storage/memory";

/** A registry in memory, for tests of what stands before it. */
export async function openTestRegistry(
  primary: StorageBackend = createMemoryBackend(),
): Promise<Registry & AsyncDisposable> {
  const registry = await openRegistry({
    database: "sqlite::memory:",
    backends: { primary },
    actor: "tester",
  });
  return { ...registry, [Symbol.asyncDispose]: () => registry.close() };
}
