import { createMemoryBackend } from "@store/storage/memory";
import { describe, expect, test } from "vitest";

import { bytesOf, codeOf, dialects, leaseKinds, openTestInstance, publish } from "./instance.ts";

const coordinates = { namespace: "acme", name: "app", version: "1.0.0" };

/** A body of which the first chunk is read, and the next one never comes. */
function silentBody() {
  const begun = Promise.withResolvers<void>();
  const source = async function* (): AsyncGenerator<Uint8Array> {
    yield new Uint8Array(3_000_000);
    begun.resolve();
    await new Promise(() => undefined);
  };
  return { begun: begun.promise, source: source() };
}

describe.each(dialects)("closing on %s", (dialect) => {
  test("refuses what is asked afterwards, for every actor, and may be repeated", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry } = instance;
    const { id } = await publish(registry, { version: "1.0.0" });
    const other = registry.as("other");
    await registry.close();
    await other.close();
    const asked = [
      other.createPackage(coordinates),
      other.ingestFile(id, "a", bytesOf("a")),
      other.finalizePackage(id),
      registry.resolve("acme/app"),
      registry.listPackages(),
      registry.getManifestBytes(id, "cbor"),
      registry.readEvents({}),
      registry.sweep(),
      registry.verifyPackage(id),
      registry.replay(),
    ];
    expect(new Set(await Promise.all(asked.map(codeOf)))).toEqual(new Set(["closed"]));
    expect(() => registry.tailEvents({ since: 0 })).toThrow(
      expect.objectContaining({ code: "closed" }),
    );
    // The database was opened by somebody else, and stays open.
    expect(await registry.health()).toMatchObject({ database: { healthy: true } });
    expect((await (await instance.again()).resolve("acme/app")).package.id).toBe(id);
  });

  test("waits for what is under way, and gives every lease back", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry, database } = instance;
    const pkg = await registry.createPackage(coordinates);
    const outcomes = Array.from({ length: 8 }, (_, index) =>
      codeOf(registry.ingestFile(pkg.id, `file-${index}`, bytesOf(`${index}`))),
    );
    const created = codeOf(registry.createPackage({ ...coordinates, version: "2.0.0" }));
    await registry.close();
    // Each has ended by now, and whatever it answered is true.
    const codes = await Promise.all(outcomes);
    expect(await created).toBe("nothing thrown");
    const added = codes.filter((code) => code === "nothing thrown").length;
    expect(codes.filter((code) => code === "closed")).toHaveLength(codes.length - added);
    const reader = await instance.again();
    expect(await reader.getPackage(pkg.id)).toMatchObject({ fileCount: added });
    expect(await leaseKinds(database)).toEqual([]);
  });

  test("cuts off a body that is still being read, and keeps nothing of it", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry, database, storage } = instance;
    const pkg = await registry.createPackage(coordinates);
    const { begun, source } = silentBody();
    const ingested = codeOf(registry.ingestFile(pkg.id, "big", source));
    await begun;
    await registry.close();
    expect(await ingested).toBe("closed");
    expect(await Array.fromAsync(storage.listStaged())).toEqual([]);
    expect(await leaseKinds(database)).toEqual([]);
  });

  test("ends a tail, and the verifying of a package", async () => {
    const memory = createMemoryBackend();
    const opened = Promise.withResolvers<void>();
    const primary = new Proxy(memory, {
      get: (target, name) => {
        if (name === "open") {
          return async function* () {
            opened.resolve();
            yield new Uint8Array(1);
            await new Promise(() => undefined);
          };
        }
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    await using instance = await openTestInstance(dialect, { backends: { primary } });
    const { registry } = instance;
    const { id } = await publish(registry, { version: "1.0.0" });
    const { size } = await registry.head();
    const seen = Promise.withResolvers<void>();
    const followed = (async () => {
      let count = 0;
      for await (const { seq } of registry.tailEvents({ since: 0 })) {
        count += 1;
        if (seq === size) seen.resolve();
      }
      return count;
    })();
    const verified = codeOf(registry.verifyPackage(id));
    await Promise.all([opened.promise, seen.promise]);
    await registry.close();
    expect(await verified).toBe("closed");
    expect(await followed).toBe(size);
  });
});
