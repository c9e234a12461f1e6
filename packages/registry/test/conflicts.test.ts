import { describe, expect, test } from "vitest";

import type { Registry } from "@store/registry";
import { bytesOf, codeOf, dialects, openTestInstance, publish } from "./instance.ts";
import type { TestInstance } from "./instance.ts";

const callers = 8;

/** How often each outcome came about: `ok`, or the code of the refusal. */
async function outcomes(attempts: readonly Promise<unknown>[]): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const outcome of await Promise.all(attempts.map(codeOf))) {
    const key = outcome === "nothing thrown" ? "ok" : outcome;
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}

const places = dialects.flatMap((dialect) =>
  (["one registry", "two registries"] as const).map((callersOf) => ({ dialect, callersOf })),
);

describe.each(places)("concurrent callers of $callersOf on $dialect", ({ dialect, callersOf }) => {
  /** The instance, and the registry of each caller: all one, or in turn of two processes. */
  async function open(): Promise<TestInstance & { of: (caller: number) => Registry }> {
    const instance = await openTestInstance(dialect, { inFile: true });
    const other = callersOf === "one registry" ? instance.registry : await instance.apart();
    return { ...instance, of: (caller) => (caller % 2 === 0 ? instance.registry : other) };
  }

  test("of the same coordinates: one finalizes, the others hear that the package exists", async () => {
    await using instance = await open();
    const { registry } = instance;
    const packages = await Promise.all(
      Array.from({ length: callers }, async (_, index) => {
        const coordinates = { namespace: "a", name: "b", version: "1.0.0" };
        const pkg = await instance.of(index).createPackage(coordinates);
        await instance.of(index).ingestFile(pkg.id, "file", bytesOf(`content ${index}`));
        return pkg;
      }),
    );
    const finalized = packages.map(({ id }, index) => instance.of(index).finalizePackage(id));
    expect(await outcomes(finalized)).toEqual({ ok: 1, package_exists: callers - 1 });
    const { items } = await registry.listVersions("a", "b");
    expect(items).toHaveLength(1);
    expect(await registry.replay({ check: true })).toMatchObject({ differences: [] });
  });

  test("of one path: one adds its file, the others hear of the conflict", async () => {
    await using instance = await open();
    const { registry } = instance;
    const pkg = await registry.createPackage({ namespace: "a", name: "b", version: "1.0.0" });
    const added = Array.from({ length: callers }, (_, index) =>
      instance.of(index).ingestFile(pkg.id, "file", bytesOf(`content ${index}`)),
    );
    expect(await outcomes(added)).toEqual({ ok: 1, path_conflict: callers - 1 });
    expect(await registry.getPackage(pkg.id)).toMatchObject({ fileCount: 1, revision: 1 });
  });

  test("of one tag with the same expectation: one moves it", async () => {
    await using instance = await open();
    const { registry } = instance;
    const packages = await Promise.all(
      Array.from({ length: callers }, (_, index) => publish(registry, { version: `1.0.${index}` })),
    );
    const first = packages.map(({ id }, index) =>
      instance.of(index).setTag({ packageId: id, tag: "stable" }, { expected: null }),
    );
    expect(await outcomes(first)).toEqual({ ok: 1, tag_conflict: callers - 1 });
    const { package: current } = await registry.resolve("acme/app:stable");
    const others = packages.filter(({ id }) => id !== current.id);
    const moved = others.map(({ id }, index) =>
      instance.of(index).setTag({ packageId: id, tag: "stable" }, { expected: current.id }),
    );
    expect(await outcomes(moved)).toEqual({ ok: 1, tag_conflict: callers - 2 });
  });

  test("of the same new bytes: all succeed and one object is stored", async () => {
    await using instance = await open();
    const { registry, storage } = instance;
    const pkg = await registry.createPackage({ namespace: "a", name: "b", version: "1.0.0" });
    const content = new Uint8Array(3_000_000).fill(7);
    const added = await Promise.all(
      Array.from({ length: callers }, (_, index) =>
        instance.of(index).ingestFile(pkg.id, `file-${index}`, bytesOf(content)),
      ),
    );
    expect(new Set(added.map((file) => file.address)).size).toBe(1);
    expect(await Array.fromAsync(storage.enumerate())).toHaveLength(1);
    expect(await Array.fromAsync(storage.listStaged())).toHaveLength(0);
  });

  test("that change a package while it is finalized: the manifest has what the package has", async () => {
    await using instance = await open();
    const { registry } = instance;
    const pkg = await registry.createPackage({ namespace: "a", name: "b", version: "1.0.0" });
    await registry.ingestFile(pkg.id, "first", bytesOf("1"));
    const attempts = Array.from({ length: callers }, (_, index) =>
      instance.of(index).ingestFile(pkg.id, `file-${index}`, bytesOf(`${index}`)),
    );
    await registry.finalizePackage(pkg.id);
    const counts = await outcomes(attempts);
    const { fileCount } = await registry.getPackage(pkg.id);
    expect(fileCount).toBe(1 + (counts["ok"] ?? 0));
    expect(await registry.verifyPackage(pkg.id)).toMatchObject({ fileCount, problems: [] });
  });
});
