import { describe, expect, test } from "vitest";

import { codeOf, dialects, openTestInstance } from "./instance.ts";

const coordinates = { namespace: "acme", name: "app", version: "1.0.0" };
const schema = {
  type: "object",
  required: ["license"],
  properties: { license: { type: "string", pattern: "^[A-Z]" }, stars: { type: "number" } },
};

describe.each(dialects)("metadata on %s", (dialect) => {
  test("is held against the schema that it names, and remembers the revision", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry } = instance;
    const first = await registry.registerMetadataSchema({ name: "app", schema });
    expect(first.revision).toBe(1);
    expect((await registry.registerMetadataSchema({ name: "app", schema })).revision).toBe(1);
    const second = await registry.registerMetadataSchema({
      name: "app",
      schema: { ...schema, required: [] },
    });
    expect(second.revision).toBe(2);
    const pkg = await registry.createPackage({
      ...coordinates,
      metadata: { license: "MIT", stars: 1e21 },
      metadataSchema: "app",
    });
    expect(pkg).toMatchObject({
      metadataSchema: "app@2",
      metadata: { license: "MIT", stars: 1e21 },
    });
    const missing = registry.createPackage({
      ...coordinates,
      metadata: {},
      metadataSchema: "app@1",
    });
    await expect(missing).rejects.toMatchObject({
      code: "invalid_metadata",
      message: expect.stringContaining("license"),
    });
    expect((await registry.listMetadataSchemas()).items.map((each) => each.revision)).toEqual([
      1, 2,
    ]);
    expect((await registry.getMetadataSchema("app@1")).schema).toEqual(schema);
  });

  test("refuses schemas that are unknown, remote, malformed or too large", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry } = instance;
    const register = (bad: object) =>
      codeOf(registry.registerMetadataSchema({ name: "bad", schema: bad as typeof schema }));
    expect(await register({ $ref: "https://example.com/schema.json" })).toBe("invalid_schema");
    expect(await register({ type: "no such type" })).toBe("invalid_schema");
    expect(await register({ $async: true })).toBe("invalid_schema");
    expect(await register([])).toBe("invalid_schema");
    expect(await register({ description: "x".repeat(300_000) })).toBe("limit_exceeded");
    const unknown = registry.createPackage({ ...coordinates, metadata: {}, metadataSchema: "no" });
    expect(await codeOf(unknown)).toBe("schema_not_found");
    const absent = registry.createPackage({ ...coordinates, metadataSchema: "no" });
    expect(await codeOf(absent)).toBe("invalid_metadata");
  });

  test("cuts off a pattern that would take for ever, and goes on afterwards", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry } = instance;
    await registry.registerMetadataSchema({
      name: "slow",
      schema: { properties: { text: { type: "string", pattern: "^(a+)+$" } } },
    });
    const create = (text: string) =>
      codeOf(
        registry.createPackage({ ...coordinates, metadata: { text }, metadataSchema: "slow" }),
      );
    expect(await create(`${"a".repeat(60)}!`)).toBe("limit_exceeded");
    expect(await create("aaa")).toBe("nothing thrown");
  });

  test("has limits on its size and depth", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry } = instance;
    let deep: object = {};
    for (let depth = 0; depth < 100; depth += 1) deep = { deep };
    const create = (metadata: object) =>
      codeOf(registry.createPackage({ ...coordinates, metadata: metadata as {} }));
    expect(await create(deep)).toBe("limit_exceeded");
    expect(await create({ text: "x".repeat(1_100_000) })).toBe("limit_exceeded");
    expect(await create([])).toBe("invalid_metadata");
    expect(await create({ text: "\ud800" })).toBe("invalid_json");
  });
});
