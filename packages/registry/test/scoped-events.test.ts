import { encodeCbor } from "@store/manifest";
import { parseNamePattern } from "@store/identity";
import type { Registry } from "@store/registry";
import { describe, expect, test } from "vitest";

import { dialects, openTestInstance, publish, type TestInstance } from "./instance.ts";

type Query = Parameters<Registry["readEvents"]>[0];

const scope = (texts: readonly string[], accounts: boolean) => ({
  names: texts.map(parseNamePattern),
  accounts,
});

/** Records an event as somebody else's code does, in the same log. */
async function recordForeign({ log }: TestInstance, type: string, subject: string): Promise<void> {
  const payload = encodeCbor({ subject });
  await log.transact("admin", async (tx) => {
    tx.append({ type, subject, payload });
  });
}

/** The subjects of all that a query finds, call by call. */
async function subjectsOf(registry: Registry, query: Query): Promise<string[]> {
  const subjects: string[] = [];
  for (let after = query.after ?? 0; ;) {
    const { items, scannedTo, head } = await registry.readEvents({ ...query, after });
    subjects.push(...items.map((event) => `${event.type} ${event.subject}`));
    if (scannedTo >= Math.min(head, (query.before ?? Infinity) - 1)) return subjects;
    expect(scannedTo).toBeGreaterThan(after);
    after = scannedTo;
  }
}

describe.each(dialects)("events on %s", (dialect) => {
  test("are those of what the reader may read, with and without accounts", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry } = instance;
    for (const namespace of ["acme", "hidden"]) {
      const { id } = await publish(registry, { namespace, version: "1.0.0" });
      await registry.setTag({ packageId: id, tag: "stable" });
      await registry.placeHold(id, "a reason");
      await registry.setRetention(id, "audit");
    }
    await registry.registerMetadataSchema({ name: "acme", schema: {} });
    await recordForeign(instance, "v1.user.created", "user:alice");
    // Not even under a name that is covered: what an account is called is no package's name.
    await recordForeign(instance, "v1.token.created", "acme/app");
    await recordForeign(instance, "v1.key.rotated", "key");
    const everything = await subjectsOf(registry, {});
    const readable = (accounts: boolean) =>
      everything.filter(
        (event) =>
          !event.includes("hidden") && (accounts || !/^v1\.(user|token|key)\./.test(event)),
      );
    expect(everything).toHaveLength(readable(true).length + 6);
    for (const accounts of [true, false]) {
      const reader = registry.as("reader", scope(["acme/*"], accounts));
      for (const limit of [1, 3, 1_000]) {
        expect(await subjectsOf(reader, { limit })).toEqual(readable(accounts));
      }
      const ofPackage = (event: string) =>
        event.includes(" acme/app@") || event.includes(":stable");
      expect(
        await subjectsOf(reader, { subject: "acme/app", types: ["v1.file.added", "v1.tag.set"] }),
      ).toEqual(
        readable(accounts).filter(
          (event) => ofPackage(event) && /^v1\.(file\.added|tag\.set)/.test(event),
        ),
      );
      expect(await subjectsOf(reader, { subject: "hidden/app" })).toEqual([]);
      expect(await subjectsOf(reader, { actor: "admin" })).toHaveLength(accounts ? 3 : 0);
      expect(await subjectsOf(reader, { actor: "tester", after: 3, before: 9, limit: 2 })).toEqual(
        everything.slice(3, 8),
      );
    }
    const all = registry.as("reader", scope(["*"], false));
    expect(await subjectsOf(all, {})).toEqual(
      everything.filter((event) => !/^v1\.(user|token|key)\./.test(event)),
    );
    const nothing = registry.as("reader", scope([], false));
    expect(new Set((await subjectsOf(nothing, {})).map((event) => event.split(" ")[0]))).toEqual(
      new Set(["v1.instance.created", "v1.retention.class_defined", "v1.schema.registered"]),
    );
  });

  test("that others record in the same log project nothing", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry, log, database } = instance;
    await publish(registry, { version: "1.0.0" });
    await recordForeign(instance, "v1.user.created", "user:alice");
    expect(await registry.replay({ check: true })).toMatchObject({ differences: [] });
    await registry.replay();
    expect((await registry.resolve("acme/app")).package.version).toBe("1.0.0");
    // The log is the caller's where it is given, and has to be that of the database.
    const shared = await instance.again({ log });
    expect(await shared.head()).toEqual(await log.head());
    await expect(instance.again({ log, database: "sqlite::memory:" })).rejects.toMatchObject({
      code: "invalid_argument",
    });
    await using other = await openTestInstance("sqlite");
    await expect(instance.again({ log: other.log, database })).rejects.toMatchObject({
      code: "invalid_argument",
    });
  });

  test("are scanned a bounded part of the log at once, as far from where it begins", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry, log } = instance;
    const payload = encodeCbor({});
    const count = 5_000;
    await log.transact("tester", async (tx) => {
      for (let index = 0; index < count; index += 1) {
        tx.append({ type: "v1.package.unyanked", subject: "hidden/app@1#x", payload });
      }
    });
    const reader = registry.as("reader", scope(["acme/*"], false));
    const before = await reader.readEvents({ after: 6 });
    expect(before).toEqual({ items: [], scannedTo: 6 + 4_096, head: 6 + count });
    for (const query of [{ subject: "hidden/app" }, { types: ["v1.tag.set"] }, { actor: "x" }]) {
      expect(await reader.readEvents({ after: 6, ...query })).toEqual(before);
    }
    const { scannedTo } = await reader.readEvents({ after: before.scannedTo });
    expect(scannedTo).toBe(6 + count);
    expect(await reader.readEvents({ after: 6 + count })).toMatchObject({ items: [], scannedTo });
    expect(await reader.readEvents({ after: 6, before: 9 })).toMatchObject({ scannedTo: 8 });
  });

  test("are followed by those who may read them, and by no others", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry } = instance;
    const reader = registry.as("reader", scope(["acme/*"], false));
    const seen: string[] = [];
    const { size } = await registry.head();
    const following = (async () => {
      for await (const { type, subject } of reader.tailEvents({ since: size })) {
        seen.push(subject);
        if (type === "v1.package.finalized") return;
      }
    })();
    await publish(registry, { namespace: "hidden", version: "1.0.0" });
    await publish(registry, { namespace: "acme", version: "1.0.0" });
    await following;
    expect(seen).toHaveLength(3);
    expect(seen.every((subject) => subject.startsWith("acme/app@1.0.0"))).toBe(true);
    const tail = reader.tailEvents({ since: (await registry.head()).size });
    const events = tail[Symbol.asyncIterator]();
    const waiting = events.next();
    await publish(registry, { namespace: "hidden", version: "2.0.0" });
    expect(await events.return?.()).toMatchObject({ done: true });
    expect(await waiting).toMatchObject({ done: true });
  });
});
