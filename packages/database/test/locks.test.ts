import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { createLosableDatabase } from "@store/testing/connection-loss";
import { describe, expect, test } from "vitest";
import { openDatabase } from "../src/index.ts";
import { PostgresLocks } from "../src/lib/postgres/locks.ts";
import { PostgresServer } from "../src/lib/postgres/server.ts";
import { parsePostgresUrl } from "../src/lib/postgres/url.ts";
import { afterTest, newPlace, openPlace, places, sharedPlaces } from "./dialects.ts";
import { silentProxyTo } from "./silent-proxy.ts";

const program = fileURLToPath(new URL("processes/hold-lock.ts", import.meta.url));

/** Another process that asks for a lock; resolves to it and its answer. */
async function ask(url: string, name: string): Promise<[ChildProcess, string]> {
  const child = spawn(process.execPath, [program, url, name], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  afterTest(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  });
  for await (const line of createInterface({ input: child.stdout })) return [child, line];
  throw new Error("The process ended without an answer.");
}

describe.each(places)("locks on %s", (place) => {
  test("one at a time holds a lock, and whoever asks meanwhile is told at once", async () => {
    const database = await openPlace(await newPlace(place));
    const [first, second] = await Promise.all([database.tryLock("a"), database.tryLock("a")]);
    expect(first).toBeDefined();
    expect(second).toBeUndefined();
    expect(await database.tryLock("b")).toBeDefined();
    await first?.release();
    const third = await database.tryLock("a");
    expect(third).toBeDefined();
    // Released already, so that the one who has it now keeps it.
    await first?.release();
    expect(await database.tryLock("a")).toBeUndefined();
    expect(third?.signal.aborted).toBe(false);
  });

  test("closing the database gives its locks back, and says so", async () => {
    const database = await openPlace(await newPlace(place));
    const lock = await database.tryLock("a");
    await database.close();
    expect(lock?.signal.aborted).toBe(true);
    await lock?.release();
    await expect(database.tryLock("a")).rejects.toMatchObject({ code: "closed" });
  });

  test("a name that could lead out of a folder is refused", async () => {
    const database = await openPlace(await newPlace(place));
    for (const name of ["", "../a", "A", ".a", "a/b", "a".repeat(65)]) {
      await expect(database.tryLock(name)).rejects.toMatchObject({ code: "invalid_argument" });
    }
  });
});

describe.each(sharedPlaces)("locks between processes on %s", (place) => {
  test("another opening does not get a lock until it is given back", async () => {
    const url = await newPlace(place);
    const [one, other] = [await openPlace(url), await openPlace(url)];
    const lock = await one.tryLock("a");
    expect(await other.tryLock("a")).toBeUndefined();
    await lock?.release();
    expect(await other.tryLock("a")).toBeDefined();
  });

  test("a holder that is killed loses its lock to another process", async () => {
    const url = await newPlace(place);
    const database = await openPlace(url);
    const [holder, said] = await ask(url, "a");
    expect(said).toBe("held");
    expect(await database.tryLock("a")).toBeUndefined();
    expect((await ask(url, "a"))[1]).toBe("taken");
    holder.kill("SIGKILL");
    await once(holder, "exit");
    await expect.poll(() => database.tryLock("a"), { timeout: 10_000 }).toBeDefined();
  });
});

test("instances in different schemas of one server have locks of their own", async () => {
  const [one, other] = [
    await openPlace(await newPlace("PostgreSQL")),
    await openPlace(await newPlace("PostgreSQL")),
  ];
  expect(await one.tryLock("a")).toBeDefined();
  expect(await other.tryLock("a")).toBeDefined();
});

test("a lock whose connection is cut is told to be lost, and another process has it", async () => {
  const place = await createLosableDatabase();
  afterTest(() => place.drop());
  const [database, other] = [await openDatabase(place.url), await openDatabase(place.url)];
  afterTest(() => database.close());
  afterTest(() => other.close());
  const [first, second] = [await database.tryLock("a"), await database.tryLock("b")];
  expect(await place.loseConnections()).toBeGreaterThan(0);
  await expect.poll(() => first?.signal.aborted).toBe(true);
  expect(first?.signal.reason).toMatchObject({ name: "StoreError", code: "aborted" });
  expect(second?.signal.aborted).toBe(true);
  await first?.release();
  await expect.poll(() => other.tryLock("a").catch(() => undefined)).toBeDefined();
  await expect.poll(() => database.tryLock("b").catch(() => undefined)).toBeDefined();
});

test("a lock whose network went silent is told to be lost, without a word from the server", async () => {
  const proxy = await silentProxyTo(await newPlace("PostgreSQL"));
  const server = new PostgresServer(parsePostgresUrl(proxy.url), { connectTimeoutMs: 100 });
  afterTest(() => server.close());
  const locks = new PostgresLocks(server, { heartbeatMs: 100, answerTimeoutMs: 100 });
  const lock = await locks.tryLock("a");
  proxy.silence();
  await expect.poll(() => lock?.signal.aborted, { timeout: 20_000 }).toBe(true);
  await locks.close();
});
