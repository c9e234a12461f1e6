import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openLocalStorage } from "@store/storage-local";
import { describeConformance } from "@store/storage/conformance";
import { describe, test } from "vitest";

/** Folders of the layout, its format file, and nothing else. */
const furniture = /^(format\.json|staging|(blake3|sha256)(\/[0-9a-f]{2}){0,2})$/;

describeConformance(
  { describe, test },
  {
    name: "local",
    open: async () => {
      const folder = await mkdtemp(join(tmpdir(), "store-local-"));
      const root = join(folder, "objects");
      return {
        backend: await openLocalStorage({ root }),
        openAnother: async () => openLocalStorage({ root }),
        leftovers: async () =>
          (await readdir(root, { recursive: true })).filter((name) => !furniture.test(name)),
        dispose: async () => rm(folder, { recursive: true }),
      };
    },
  },
);
