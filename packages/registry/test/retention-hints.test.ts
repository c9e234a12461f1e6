import type { StageOptions, StorageBackend } from "@store/storage";
import { createMemoryBackend } from "@store/storage/memory";
import { describe, expect, test } from "vitest";

import { corrupt, finish, openCopiesWorld, store } from "./copies.ts";
import { bytesOf, dialects } from "./instance.ts";

type Hint = string | undefined;

/** Backends in memory that write down which class each staging was given. */
function hinted() {
  const hints: Record<"primary" | "second" | "third", Hint[]> = {
    primary: [],
    second: [],
    third: [],
  };
  const noting = (to: Hint[]): StorageBackend => {
    const backend = createMemoryBackend();
    const stage = backend.stage.bind(backend);
    backend.stage = (options: StageOptions) => {
      to.push(options.retentionClass);
      return stage(options);
    };
    return backend;
  };
  const backends = {
    primary: noting(hints.primary),
    second: noting(hints.second),
    third: noting(hints.third),
  };
  return { hints, backends };
}

describe.each(dialects)("the retention class of a package, on %s,", (dialect) => {
  test("is told to every backend that a copy of its objects is written to", async () => {
    const { hints, backends } = hinted();
    await using world = await openCopiesWorld(dialect, {
      backends,
      placement: { mirrors: ["third"] },
    });
    const { registry } = world;
    const [a] = await store(registry, "1.0.0", ["a"], { retentionClass: "audit" });
    await store(registry, "2.0.0", ["b"], { retentionClass: "release" });
    if (a === undefined) throw new Error("A file has an object.");
    expect(hints.primary).toEqual(["audit", "release"]);
    await registry.tendCopies();
    expect(hints.third.toSorted()).toEqual(["audit", "release"]);
    await finish(registry.replicateObjects({ to: "second" }));
    expect(hints.second.toSorted()).toEqual(["audit", "release"]);
    // Also where a damaged copy is written anew.
    await corrupt(backends.second, a);
    await finish(registry.verifyObjects({ backend: "second" }));
    hints.second.length = 0;
    await finish(registry.replicateObjects({ to: "second", restart: true }));
    expect(hints.second).toEqual(["audit"]);
  });

  test("is told to the backend of an upload whose creator names it, and none else", async () => {
    const { hints, backends } = hinted();
    await using world = await openCopiesWorld(dialect, { backends });
    const { registry } = world;
    const named = await registry.createUpload({
      sizeBytes: 1,
      metadata: { retention_class: "permanent" },
    });
    await registry.appendUpload(named.id, 0, bytesOf("a"));
    const unnamed = await registry.createUpload({ sizeBytes: 1 });
    await registry.appendUpload(unnamed.id, 0, bytesOf("b"));
    expect(hints.primary).toEqual(["permanent", undefined]);
  });
});
