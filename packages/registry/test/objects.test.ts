import { parseContentAddress, parseNamePattern, type ContentAddress } from "@store/identity";
import type { Registry } from "@store/registry";
import { describe, expect, test } from "vitest";

import {
  bytesOf,
  codeOf,
  collect,
  dialects,
  openTestInstance,
  publish,
  type TestInstance,
} from "./instance.ts";

const scope = (...texts: readonly string[]) => ({
  names: texts.map(parseNamePattern),
  accounts: false,
});

const absent = (digit: string): ContentAddress => parseContentAddress(`blake3:${digit.repeat(64)}`);

/** Has a complete upload stand in the database, as if its bytes were stored. */
async function uploaded(
  { database }: TestInstance,
  actor: string,
  object: { readonly address: string; readonly expiresAt?: string },
): Promise<void> {
  const { address, expiresAt = "2027-01-01T00:00:00.000Z" } = object;
  await database.write(async ({ sql, tables }) => {
    await sql.insert(tables.uploadSessions).values({
      uploadId: `${actor} ${address}`,
      actor,
      status: "complete",
      sizeBytes: 6,
      offsetBytes: 6,
      backend: "primary",
      stagedId: null,
      expectedAddress: null,
      metadata: "{}",
      contentAddress: address,
      digestSha256: new Uint8Array(32).fill(7),
      createdAt: "2026-01-01T00:00:00.000Z",
      expiresAt,
      lockedBy: null,
      lockedUntil: null,
      lockWantedAt: null,
    });
  });
}

async function fileOf(registry: Registry, id: string, path = "a.txt") {
  return registry.statFile(id, path);
}

describe.each(dialects)("an object on %s", (dialect) => {
  test("is found and read by either of its digests", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry } = instance;
    const { id } = await publish(registry, { version: "1.0.0" }, { "a.txt": "content" });
    const { address, sha256, sizeBytes } = await fileOf(registry, id);
    for (const by of [address, sha256]) {
      expect(await registry.statObject(by)).toEqual({ address, sha256, sizeBytes });
      const whole = await registry.openObject(by);
      expect(whole).toMatchObject({ object: { address }, verified: "whole" });
      expect(String(await collect(whole.body))).toBe("content");
      const part = await registry.openObject(by, { range: { start: 3, end: 5 } });
      expect(part).toMatchObject({ verified: "none", range: { start: 3, end: 5 } });
      expect(String(await collect(part.body))).toBe("te");
      const beyond = registry.openObject(by, { range: { start: 99 } });
      expect(await codeOf(beyond)).toBe("invalid_range");
    }
    expect(await codeOf(registry.statObject(absent("0")))).toBe("object_not_found");
  });

  test("is missing unless a package that the caller may read has it", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry } = instance;
    const shared = await publish(
      registry,
      { namespace: "acme", version: "1.0.0" },
      { a: "shared" },
    );
    const other = { a: "shared", b: "secret" };
    const hidden = await publish(registry, { namespace: "hidden", version: "1.0.0" }, other);
    const open = await registry.createPackage({ namespace: "acme", name: "x", version: "1" });
    const fresh = await registry.ingestFile(open.id, "a", bytesOf("fresh"));
    const files = [
      await fileOf(registry, shared.id, "a"),
      await fileOf(registry, hidden.id, "b"),
      fresh,
    ];
    const [known, secret, inOpen] = files.map((file) => file.address);
    const asked = [absent("1"), ...files.flatMap((file) => [file.sha256, file.address])];
    expect(await registry.listMissing(asked)).toEqual([absent("1")]);
    const readers: Record<string, (ContentAddress | undefined)[]> = {
      "acme/*": [known, inOpen],
      "hidden/*": [known, secret],
      "acme/app": [known],
      "*": [known, secret, inOpen],
      "absent/*": [],
    };
    for (const [pattern, readable] of Object.entries(readers)) {
      const reader = registry.as("reader", scope(pattern));
      const missing = files.filter((file) => !readable.includes(file.address));
      expect(await reader.listMissing(asked)).toEqual([
        absent("1"),
        ...missing.flatMap((file) => [file.sha256, file.address]),
      ]);
      for (const file of files) {
        const isReadable = readable.includes(file.address);
        const found = await codeOf(reader.statObject(file.sha256));
        expect(found).toBe(isReadable ? "nothing thrown" : "object_not_found");
      }
    }
    // A package that is gone shows its objects to nobody whose scope has an end.
    await registry.abandonPackage(open.id);
    const reader = registry.as("reader", scope("acme/*"));
    expect(await reader.listMissing([fresh.address])).toEqual([fresh.address]);
  });

  test("is looked for in a bounded number of places", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry, database } = instance;
    const { id } = await publish(registry, { namespace: "hidden", version: "1.0.0" });
    const { address } = await fileOf(registry, id);
    const own = await registry.createPackage({ namespace: "acme", name: "app", version: "1.0.0" });
    await registry.addFile(own.id, "mine", address);
    const reader = registry.as("reader", scope("acme/*"));
    expect(await reader.listMissing([address])).toEqual([]);
    const [row] = await database.reader.select().from(database.tables.artifactFiles);
    if (row === undefined) throw new Error("There is no file.");
    // Before the caller's own package in the index, and of a package that he may not read.
    const others = Array.from({ length: 1_000 }, (_, index) => ({
      ...row,
      packageId: id,
      path: `other-${index}`,
    }));
    await database.write(async ({ sql, tables }) => {
      await sql.delete(tables.artifactFiles);
      await sql.insert(tables.artifactFiles).values(others);
      await sql.insert(tables.artifactFiles).values({ ...row, packageId: own.id, path: "mine" });
    });
    expect(await reader.listMissing([address])).toEqual([address]);
    expect(await codeOf(reader.statObject(address))).toBe("object_not_found");
    expect(await registry.listMissing([address])).toEqual([]);
  });

  test("of the caller's own complete upload is his to read and add", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry } = instance;
    const { id } = await publish(registry, { namespace: "hidden", version: "1" }, { a: "secret" });
    const { address, sha256 } = await fileOf(registry, id, "a");
    const reader = registry.as("reader", scope("acme/*"));
    const own = await reader.createPackage({ namespace: "acme", name: "app", version: "1.0.0" });
    await uploaded(instance, "somebody", { address });
    await uploaded(instance, "reader", { address: absent("3"), expiresAt: "2026-01-01" });
    const asked = [address, absent("2"), absent("3")];
    expect(await reader.listMissing(asked)).toEqual(asked);
    await uploaded(instance, "reader", { address });
    await uploaded(instance, "reader", { address: absent("2") });
    expect(await reader.listMissing(asked)).toEqual([absent("3")]);
    expect(await reader.listMissing([sha256])).toEqual([sha256]);
    expect(await reader.statObject(address)).toMatchObject({ address, sizeBytes: 6 });
    expect(await reader.addFile(own.id, "mine", address)).toMatchObject({ address });
    // Its row says so, but the backend has no such bytes.
    expect(await codeOf(reader.addFile(own.id, "lost", absent("2")))).toBe("object_not_found");
  });

  test("is asked for by many addresses at once, up to a limit", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry } = instance;
    const { id } = await publish(registry, { version: "1.0.0" });
    const { address } = await fileOf(registry, id);
    const many = Array.from({ length: 9_998 }, (_, index) =>
      parseContentAddress(`blake3:${index.toString(16).padStart(64, "0")}`),
    );
    const asked = [...many, address, address];
    for (const reader of [registry, registry.as("reader", scope("acme/*", "b*/*"))]) {
      expect(await reader.listMissing(asked)).toEqual(many);
      expect(await codeOf(reader.listMissing([...asked, address]))).toBe("invalid_argument");
      expect(await reader.listMissing([])).toEqual([]);
    }
  });
});
