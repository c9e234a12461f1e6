import type { StorageBackend } from "@store/storage";
import { withCache } from "@store/storage/cache";
import { describeConformance } from "@store/storage/conformance";
import { withDeadlines } from "@store/storage/deadline";
import { withFaults } from "@store/storage/faults";
import { createMemoryBackend } from "@store/storage/memory";
import { mirrorBackends } from "@store/storage/mirror";
import { withRetries } from "@store/storage/retry";
import { withVerifiedReads } from "@store/storage/verify";
import { describe, test } from "vitest";

const ownMemory = "memory belongs to one process";

const wrapped: Readonly<Record<string, () => StorageBackend>> = {
  "no faults": () => withFaults(createMemoryBackend(), []),
  deadlines: () => withDeadlines(createMemoryBackend()),
  retries: () => withRetries(createMemoryBackend()),
  "verified reads": () => withVerifiedReads(createMemoryBackend()),
  "a mirror": () => mirrorBackends([createMemoryBackend(), createMemoryBackend()]),
  "a cache": () =>
    withCache(createMemoryBackend(), { cache: createMemoryBackend(), limitBytes: 3_000_000 }),
  "everything at once": () => {
    const place = (): StorageBackend => withRetries(withDeadlines(createMemoryBackend()));
    const mirror = withVerifiedReads(mirrorBackends([place(), place(), place()]));
    return withCache(mirror, { cache: place(), limitBytes: 3_000_000 });
  },
};

for (const [name, open] of Object.entries(wrapped)) {
  describeConformance(
    { describe, test },
    {
      name: `memory with ${name}`,
      open: async () => ({ backend: open(), dispose: async () => {} }),
      skips: {
        "resumes in another process what the first one synced": ownMemory,
        "reads back in another process what the first one synced": ownMemory,
        "shows another process what was committed, and keeps it after close": ownMemory,
        "lists and discards what another process staged": ownMemory,
      },
    },
  );
}
