import { operationalTables, type Database, type NewRow } from "@store/database";
import { openLog } from "@store/events";
import { encodeCbor } from "@store/manifest";
import { digestOf, parseContentAddress } from "@store/identity";
import { copyInstance } from "@store/registry/instance-copy";
import { createMemoryBackend } from "@store/storage/memory";
import { replicateObject } from "@store/storage";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { assertSameInstance, emptyPlace, publishMany, rowsApart, type Place } from "./copied.ts";
import { codeOf, dialects } from "./instance.ts";
import { operation, runAll } from "./operations.ts";

const time = "2026-01-02T03:04:05.678Z";
const bytes = Uint8Array.of(1, 2, 3);
const user: NewRow<"users"> = {
  userId: "u1",
  username: "ada",
  passwordHash: "$argon2id$",
  scopes: "[]",
  createdAt: time,
  createdBy: "tester",
  passwordChangedAt: time,
};

/** One row in each operational table, whatever it belongs to. */
async function addOperationalRows({ database }: Place): Promise<void> {
  const at = { createdAt: time, expiresAt: time };
  await database.write(async ({ sql, tables }) => {
    await sql.insert(tables.users).values(user);
    await sql
      .insert(tables.sessions)
      .values({ ...at, sessionId: "s", userId: "u1", refreshedAt: time, ...digests });
    await sql.insert(tables.apiTokens).values({
      tokenId: "t",
      kind: "api",
      userId: "u1",
      name: "ci",
      scopes: "[]",
      createdBy: "u1",
      tokenDigest: bytes,
      createdAt: time,
    });
    await sql.insert(tables.signingKeys).values({
      keyId: "k",
      algorithm: "EdDSA",
      publicKey: "p",
      privateKey: "q",
      createdAt: time,
    });
    await sql
      .insert(tables.idempotencyKeys)
      .values({ ...at, actor: "a", key: "k", requestDigest: bytes, response: "{}" });
    await sql.insert(tables.accessRefusals).values({
      slot: 1,
      refusalId: "r",
      refusedAt: time,
      code: "unauthenticated",
      address: "::1",
      actor: "",
      method: "GET",
      path: "/",
      requestId: "q",
    });
    await sql
      .insert(tables.objectLeases)
      .values({ ...at, leaseId: "l", kind: "object", contentAddress: "x", holder: "h" });
    await sql.insert(tables.uploadSessions).values({
      ...at,
      uploadId: "u",
      actor: "a",
      status: "open",
      offsetBytes: 0,
      backend: "primary",
      metadata: "{}",
    });
    await sql
      .insert(tables.workPositions)
      .values({ name: "verify", position: "x", state: "{}", startedAt: time, updatedAt: time });
  });
}

const digests = { familyDigest: bytes, refreshDigest: bytes };

/** Has the source say that an object was copied to its mirror, where it puts it. */
async function mirrorFirstObject({ database, backends }: Place): Promise<void> {
  const { primary, mirror } = backends;
  if (primary === undefined || mirror === undefined) throw new Error("There is no mirror.");
  const [row] = await database.reader.select().from(database.tables.objects).limit(1);
  const address = parseContentAddress(row?.contentAddress ?? "");
  await replicateObject(primary, mirror, address, { lease: "test" });
  const log = await openLog(database);
  await log.transact("tester", async ({ append }) => {
    const { bytes: blake3 } = digestOf(address);
    const payload = encodeCbor({ blake3, backend: "mirror", from: "primary" });
    append({ type: "v1.object.copied", subject: `object:${address}`, payload });
  });
}

const mirrored = () => ({ primary: createMemoryBackend(), mirror: createMemoryBackend() });

describe.each(dialects)("an instance that is copied to %s", (dialect) => {
  const other = dialect === "sqlite" ? "postgres" : "sqlite";

  test("is the same instance there, and again when it is copied back", async () => {
    await using source = await emptyPlace(other, mirrored());
    const registry = await source.open();
    const world = { registry, packages: [], holds: [], advance: () => {} };
    const operations = fc.sample(operation, { numRuns: 250, seed: 4 });
    const outcomes = await runAll(world, operations);
    expect(outcomes.filter((outcome) => outcome === "ok").length).toBeGreaterThan(100);
    await mirrorFirstObject(source);
    await registry.replay({});

    await using copy = await emptyPlace(dialect, mirrored());
    const report = await copyInstance({ from: source, to: copy });
    const { logId, size, root } = await registry.head();
    expect(report).toMatchObject({
      logId,
      size,
      root,
      sourceSize: size,
      events: size,
      problems: [],
    });
    expect(report.objects).toBeGreaterThan(10);
    await assertSameInstance(source, copy);

    await using back = await emptyPlace(other, mirrored());
    const { problemCount, verification } = await copyInstance({
      from: copy,
      to: back,
      verify: true,
    });
    expect(problemCount).toBe(0);
    expect(verification).toMatchObject({ differences: {}, objects: report.objects, mended: 0 });
    await assertSameInstance(source, back);
  });

  test("is caught up with when it is copied again, and nothing is done where all is there", async () => {
    await using source = await emptyPlace(other);
    const registry = await source.open();
    await publishMany(registry, 5);
    await using copy = await emptyPlace(dialect);
    const first = await copyInstance({ from: source, to: copy });
    const none = { events: 0, objects: 0, sizeBytes: 0, operationalRows: 0 };
    expect(await copyInstance({ from: source, to: copy })).toEqual({ ...first, ...none });
    await publishMany(registry, 3, 5);
    expect(await copyInstance({ from: source, to: copy })).toMatchObject({ events: 9, objects: 2 });
    await assertSameInstance(source, copy);
  });

  test("has the accounts of the source, and not what belongs to its place", async () => {
    await using source = await emptyPlace(other);
    await source.open();
    await addOperationalRows(source);
    await using copy = await emptyPlace(dialect);
    const report = await copyInstance({ from: source, to: copy });
    expect(report.operationalRows).toBe(6);
    const elsewhere = { objectLeases: 1, uploadSessions: 1, workPositions: 1 };
    expect(await rowsApart(source.database, copy.database, operationalTables)).toEqual(elsewhere);

    await source.database.write(async ({ sql, tables: { users, sessions } }) => {
      await sql.update(users).set({ passwordHash: "another", disabledAt: time });
      await sql.insert(users).values({ ...user, userId: "u0", username: "bo" });
      await sql.delete(sessions);
    });
    expect((await copyInstance({ from: source, to: copy })).operationalRows).toBe(3);
    expect(await rowsApart(source.database, copy.database, operationalTables)).toEqual(elsewhere);
  });

  test("may go on while it is copied", async () => {
    await using source = await emptyPlace(other);
    const registry = await source.open();
    await publishMany(registry, 300);
    await using copy = await emptyPlace(dialect);
    let going: Promise<void> | undefined;
    const report = await copyInstance({
      from: source,
      to: copy,
      onProgress: ({ step }) => {
        if (step === "copying") going ??= publishMany(registry, 50, 300);
      },
    });
    await going;
    expect(report.size).toBeGreaterThanOrEqual(906);
    expect(report.root).toEqual((await (await openLog(source.database)).headAt(report.size)).root);
    const { size } = await copyInstance({ from: source, to: copy });
    expect(size).toBe(1_056);
    await assertSameInstance(source, copy);
  });

  test("says of each part how far it is", async () => {
    await using source = await emptyPlace(other);
    await publishMany(await source.open(), 5);
    await using copy = await emptyPlace(dialect);
    const steps: string[] = [];
    let last;
    await copyInstance({
      from: source,
      to: copy,
      verify: true,
      onProgress: (progress) => {
        if (steps.at(-1) !== progress.step) steps.push(progress.step);
        if (progress.step === "copying") last = progress;
      },
    });
    expect(steps).toEqual(["comparing", "copying", "verifying"]);
    expect(last).toMatchObject({ done: 21, total: 21, objects: 4 });
  });
});

test("where copies cannot be made is said of what is given", async () => {
  await using place = await emptyPlace("sqlite");
  await using empty = await emptyPlace("sqlite");
  const wrong = (options: object) => codeOf(copyInstance({ from: place, to: empty, ...options }));
  expect(await wrong({})).toBe("instance_not_found");
  await empty.database.migrate();
  await place.database.migrate();
  expect(await wrong({})).toBe("instance_not_found");
  await place.open();
  expect(await wrong({ to: place })).toBe("invalid_argument");
  expect(await wrong({ concurrency: 0 })).toBe("invalid_argument");
  expect(await wrong({ to: { database: undefined as unknown as Database } })).toBe(
    "invalid_argument",
  );
});
