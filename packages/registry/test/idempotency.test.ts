import { describe, expect, test } from "vitest";

import { bytesOf, codeOf, dialects, openTestInstance } from "./instance.ts";

const coordinates = { namespace: "acme", name: "app", version: "1.0.0" };
const day = 24 * 60 * 60 * 1000;

describe.each(dialects)("an idempotency key on %s", (dialect) => {
  test("gives the first answer again, for every step of a push", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry } = instance;
    const create = () => registry.createPackage(coordinates, { idempotencyKey: "k-create" });
    const pkg = await create();
    expect(await create()).toEqual(pkg);
    const ingest = () =>
      registry.ingestFile(pkg.id, "a", bytesOf("a"), { idempotencyKey: "k-ingest" });
    expect(await ingest()).toEqual(await ingest());
    const finalize = () => registry.finalizePackage(pkg.id, { idempotencyKey: "k-finalize" });
    const first = await finalize();
    expect(await finalize()).toEqual(first);
    expect(await ingest()).toMatchObject({ path: "a", deduplicated: false });
    expect((await registry.readEvents({ subject: "acme/app" })).items.length).toBe(3);
  });

  test("gives one answer to requests that are sent at once", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry } = instance;
    const { size } = await registry.head();
    const fourTimes = async <T>(request: (options: { idempotencyKey: string }) => Promise<T>) => {
      const options = { idempotencyKey: `key-${(await registry.head()).size}` };
      const answers = await Promise.all([1, 2, 3, 4].map(() => request(options)));
      for (const answer of answers) expect(answer).toEqual(answers[0]);
      return answers[0] as T;
    };
    const { id } = await fourTimes((options) => registry.createPackage(coordinates, options));
    await fourTimes((options) => registry.ingestFile(id, "a", bytesOf("a"), options));
    const stored = await registry.statFile(id, "a");
    await fourTimes((options) => registry.addFile(id, "b", stored.address, options));
    await fourTimes((options) => registry.removeFile(id, "b", options));
    await fourTimes((options) => registry.finalizePackage(id, options));
    await fourTimes((options) => registry.setTag({ packageId: id, tag: "a" }, options));
    const hold = await fourTimes((options) => registry.placeHold(id, "audit", options));
    await fourTimes((options) => registry.releaseHold(hold.id, options));
    await fourTimes((options) => registry.setRetention(id, "audit", options));
    await fourTimes((options) => registry.yankPackage(id, { reason: "bad", ...options }));
    await fourTimes((options) => registry.unyankPackage(id, options));
    await fourTimes((options) =>
      registry.removeTag({ namespace: "acme", name: "app", tag: "a" }, options),
    );
    expect((await registry.head()).size).toBe(size + 12);
  });

  test("gives the first answer even if the request would be refused by now", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry } = instance;
    const options = { idempotencyKey: "key" };
    await registry.registerMetadataSchema({ name: "app", schema: {} });
    const described = { ...coordinates, metadata: { a: 1 }, metadataSchema: "app" };
    const first = await registry.createPackage(described, options);
    await registry.registerMetadataSchema({ name: "app", schema: { required: ["b"] } });
    expect(await codeOf(registry.createPackage(described))).toBe("invalid_metadata");
    expect(await registry.createPackage(described, options)).toEqual(first);
  });

  test("may go with metadata that is nested as deeply as it may be", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry } = instance;
    let metadata = {};
    for (let depth = 1; depth < 64; depth += 1) metadata = { metadata };
    const options = { idempotencyKey: "key" };
    const first = await registry.createPackage({ ...coordinates, metadata }, options);
    expect(await registry.createPackage({ ...coordinates, metadata }, options)).toEqual(first);
  });

  test("is refused with another request, and belongs to one actor", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry } = instance;
    const options = { idempotencyKey: "key" };
    const first = await registry.createPackage(coordinates, options);
    const other = registry.createPackage({ ...coordinates, version: "2.0.0" }, options);
    expect(await codeOf(other)).toBe("idempotency_conflict");
    const others = await registry.as("somebody").createPackage(coordinates, options);
    expect(others.id).not.toBe(first.id);
    for (const idempotencyKey of ["", "x".repeat(129), "a b", "é"]) {
      const refused = registry.createPackage(coordinates, { idempotencyKey });
      expect(await codeOf(refused)).toBe("invalid_argument");
    }
  });

  test("is forgotten after a day", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry } = instance;
    const options = { idempotencyKey: "key" };
    const first = await registry.createPackage(coordinates, options);
    instance.advance(day);
    const second = await registry.createPackage(coordinates, options);
    expect(second.id).not.toBe(first.id);
    instance.advance(day);
    expect(await registry.sweep()).toMatchObject({ idempotencyKeysRemoved: 1 });
  });

  test("remembers nothing of a command that failed", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry } = instance;
    const options = { idempotencyKey: "key", retentionClass: "none" };
    const refused = registry.createPackage({ ...coordinates, retentionClass: "none" }, options);
    expect(await codeOf(refused)).toBe("retention_class_not_found");
    expect(await registry.createPackage(coordinates, options)).toMatchObject({ status: "open" });
  });
});
