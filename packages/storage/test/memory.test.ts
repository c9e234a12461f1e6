import { describeConformance } from "@store/storage/conformance";
import { createMemoryBackend } from "@store/storage/memory";
import { describe, test } from "vitest";

const ownMemory = "memory belongs to one process";

describeConformance(
  { describe, test },
  {
    name: "memory",
    open: async () => ({ backend: createMemoryBackend(), dispose: async () => {} }),
    skips: {
      "resumes in another process what the first one synced": ownMemory,
      "shows another process what was committed, and keeps it after close": ownMemory,
      "lists and discards what another process staged": ownMemory,
    },
  },
);
