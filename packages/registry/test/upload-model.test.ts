import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { openLocalStorage } from "@store/storage-local";
import { createMemoryBackend } from "@store/storage/memory";
import { rounds } from "@store/testing/prove";
import fc from "fast-check";
import { expect, test } from "vitest";

import { dialects, openTestInstance } from "./instance.ts";
import { finish, lockMs, step, World } from "./upload-world.ts";

test.each(
  dialects.flatMap((dialect) => [
    { dialect, storage: "memory" as const },
    { dialect, storage: "disk" as const },
  ]),
)(
  "uploads are what was sent, in whatever order: $dialect, $storage",
  async ({ dialect, storage }) => {
    const property = fc.asyncProperty(
      fc.array(step, { minLength: 5, maxLength: 25 }),
      async (steps) => {
        const folder = await mkdtemp(join(tmpdir(), "store-uploads-"));
        const root = join(folder, "objects");
        const primary =
          storage === "memory" ? createMemoryBackend() : await openLocalStorage({ root });
        try {
          await using instance = await openTestInstance(dialect, {
            backends: { primary },
            uploadLockMs: lockMs,
          });
          const world = new World(instance);
          for (const each of steps) await each(world);
          await finish(world);
        } finally {
          await primary.close();
          await rm(folder, { recursive: true, force: true });
        }
      },
    );
    await expect(
      fc.assert(property, { numRuns: rounds(dialect === "sqlite" ? 300 : 60), seed: 42 }),
    ).resolves.toBeUndefined();
  },
);
