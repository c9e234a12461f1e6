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
    expect((await registry.readEvents({ subject: "acme/app" })).length).toBe(3);
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
