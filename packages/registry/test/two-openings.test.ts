import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { openRegistry, type Registry } from "@store/registry";
import { createMemoryBackend } from "@store/storage/memory";
import { createTestDatabase } from "@store/testing/postgres";
import { describe, expect, test } from "vitest";

import { bytesOf, codeOf, dialects, publish } from "./instance.ts";

const callers = 8;

/** Two registries, each with a database connection of its own, as two processes have them. */
async function openTwice(dialect: "sqlite" | "postgres") {
  const folder = await mkdtemp(join(tmpdir(), "store-two-"));
  const postgres = dialect === "postgres" ? await createTestDatabase() : undefined;
  const database = postgres?.url ?? `sqlite:${join(folder, "store.db")}`;
  const storage = createMemoryBackend();
  const options = { database, backends: { primary: storage }, actor: "one" };
  const registries = await Promise.all([openRegistry(options), openRegistry(options)]);
  return {
    storage,
    first: registries[0],
    /** One and the other in turn. */
    turn: (index: number): Registry => registries[index % 2] ?? registries[0],
    [Symbol.asyncDispose]: async () => {
      await Promise.all(registries.map((registry) => registry.close()));
      await postgres?.drop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function outcomes(attempts: readonly Promise<unknown>[]): Promise<Record<string, number>> {
  const codes = await Promise.all(attempts.map(codeOf));
  return Object.fromEntries(
    [...new Set(codes)].map((code) => [code, codes.filter((each) => each === code).length]),
  );
}

const won = "nothing thrown";

describe.each(dialects)("two openings of one instance on %s", (dialect) => {
  test("are born as one, and let one of many callers win the coordinates", async () => {
    await using two = await openTwice(dialect);
    const ids = await Promise.all(
      Array.from({ length: callers }, async (_, index) => {
        const registry = two.turn(index);
        const pkg = await registry.createPackage({ namespace: "a", name: "b", version: "1.0.0" });
        await registry.ingestFile(pkg.id, "file", bytesOf(`content ${index}`));
        return pkg.id;
      }),
    );
    const finalized = ids.map((id, index) => two.turn(index).finalizePackage(id));
    expect(await outcomes(finalized)).toEqual({ [won]: 1, package_exists: callers - 1 });
    const { items: births } = await two.first.readEvents({ types: ["v1.instance.created"] });
    expect(births).toHaveLength(1);
  });

  test("let one of many callers win a path, and one a tag", async () => {
    await using two = await openTwice(dialect);
    const pkg = await two.first.createPackage({ namespace: "a", name: "b", version: "1.0.0" });
    const added = Array.from({ length: callers }, (_, index) =>
      two.turn(index).ingestFile(pkg.id, "file", bytesOf(`content ${index}`)),
    );
    expect(await outcomes(added)).toEqual({ [won]: 1, path_conflict: callers - 1 });
    const published = await Promise.all(
      Array.from({ length: callers }, (_, index) =>
        publish(two.turn(index), { version: `1.0.${index}` }),
      ),
    );
    const tagged = published.map(({ id }, index) =>
      two.turn(index).setTag({ packageId: id, tag: "stable" }, { expected: null }),
    );
    expect(await outcomes(tagged)).toEqual({ [won]: 1, tag_conflict: callers - 1 });
  });

  test("store the same new bytes once, and keep one order of events", async () => {
    await using two = await openTwice(dialect);
    const content = new Uint8Array(2_500_000).fill(3);
    const pkg = await two.first.createPackage({ namespace: "a", name: "b", version: "1.0.0" });
    const added = await Promise.all(
      Array.from({ length: callers }, (_, index) =>
        two.turn(index).ingestFile(pkg.id, `file-${index}`, bytesOf(content)),
      ),
    );
    expect(new Set(added.map((file) => file.address)).size).toBe(1);
    expect(await Array.fromAsync(two.storage.enumerate())).toHaveLength(1);
    expect(await Array.fromAsync(two.storage.listStaged())).toEqual([]);
    const { size } = await two.first.verifyLog();
    const { items: events } = await two.turn(1).readEvents({});
    expect(events.map((event) => event.seq)).toEqual(Array.from({ length: size }, (_, n) => n + 1));
    expect(await two.turn(1).replay({ check: true })).toMatchObject({ differences: [] });
  });
});
