import { openDatabase, type Database } from "@store/database";
import { openRegistry } from "@store/registry";
import { createMemoryBackend } from "@store/storage/memory";
import { createTestDatabase } from "@store/testing/postgres";
import { expect, test } from "vitest";

import { bytesOf, publish } from "./instance.ts";

/** Copies what lists of packages and names read, and the head that tells how far it has come. */
async function copyViews(from: Database, to: Database): Promise<void> {
  const t = from.tables;
  for (const table of [t.logHead, t.artifactPackages, t.packageNames]) {
    const rows = await from.reader.select().from(table);
    await to.write((tx) => tx.sql.insert(table).values(rows));
  }
}

test("lists are read from a replica, and nothing that is decided or resolved is", async () => {
  const [place, copy] = [await createTestDatabase(), await createTestDatabase()];
  const backends = { primary: createMemoryBackend() };
  await using closing = new AsyncDisposableStack();
  closing.defer(() => place.drop());
  closing.defer(() => copy.drop());
  const first = await openRegistry({ database: place.url, backends, actor: "tester" });
  const { id: packageId } = await publish(first, { version: "1.0.0" });
  await first.setTag({ packageId, tag: "stable" });
  await first.close();
  const [primary, replica] = [await openDatabase(place.url), await openDatabase(copy.url)];
  closing.defer(() => primary.close());
  closing.defer(() => replica.close());
  await replica.migrate();
  await copyViews(primary, replica);

  const database = await openDatabase(place.url, { replicaUrl: copy.url, replicaLagMs: 60_000 });
  closing.defer(() => database.close());
  const registry = await openRegistry({ database, backends, actor: "tester" });
  closing.defer(() => registry.close());
  // The tag was left out of the copy, so its absence tells who answers.
  const tags = async () => (await registry.listTags("acme", "app")).items.map(({ tag }) => tag);
  await expect.poll(tags, { timeout: 10_000 }).toEqual([]);
  expect((await registry.listVersions("acme", "app")).items).toHaveLength(1);
  expect((await registry.listNames()).items).toHaveLength(1);
  expect((await registry.resolve("acme/app:stable")).package.id).toBe(packageId);
  expect((await registry.getPackage(packageId)).status).toBe("finalized");
  expect((await registry.listFiles(packageId)).items).not.toEqual([]);
  const open = await registry.createPackage({ namespace: "acme", name: "app", version: "2.0.0" });
  await registry.ingestFile(open.id, "a", bytesOf("a"));
  expect((await registry.listFiles(open.id)).items).toHaveLength(1);
});
