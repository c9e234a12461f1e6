// Store in a program of one's own: a database file, a folder of objects, and no server.
// `node index.ts [folder]` publishes one more version each time it runs.
import { createReadStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";

import { isStoreError } from "@store/identity";
import { openRegistry, type Registry } from "@store/registry";
import { openLocalStorage } from "@store/storage-local";

const folder = process.argv[2] ?? "data";
await mkdir(folder, { recursive: true });

const objects = await openLocalStorage({ root: join(folder, "objects") });
const registry = await openRegistry({
  database: `sqlite:${join(folder, "store.db")}`,
  backends: { primary: objects },
  actor: "embedded-example",
});
try {
  const before = await registry.head();
  const published = await publish(registry);
  await read(registry, published.reference);
  await verify(registry, published.id);
  await refuseAgain(registry, published.version);
  await follow(registry, before.size);
} finally {
  await registry.close();
  await objects.close();
}

/** Pushes this program's own sources as the next version, and makes it the stable one. */
async function publish(registry: Registry) {
  const { items } = await registry.listVersions("acme", "embedded", { limit: 1000 });
  const version = `1.${items.length}.0`;
  const coordinates = { namespace: "acme", name: "embedded", version };
  const { id } = await registry.createPackage({ ...coordinates, metadata: { licence: "MIT" } });
  for (const file of ["index.ts", "package.json"]) {
    const source = createReadStream(join(import.meta.dirname, file));
    const added = await registry.ingestFile(id, `src/${file}`, source);
    console.log(`${added.deduplicated ? "knew" : "stored"} ${added.path}, ${added.address}`);
  }
  const { manifestDigest } = await registry.finalizePackage(id);
  const reference = "acme/embedded:stable";
  await registry.setTag({ packageId: id, tag: "stable" });
  console.log(`finalized acme/embedded@${version}, ${manifestDigest}`);
  return { id, version, reference };
}

/** Reads a file back; every byte is verified on its way. */
async function read(registry: Registry, reference: string): Promise<void> {
  const { package: found } = await registry.resolve(reference);
  const { body, file } = await registry.getFile(found.id, "src/index.ts");
  let sizeBytes = 0;
  for await (const chunk of body) sizeBytes += chunk.byteLength;
  console.log(`read ${sizeBytes} of ${file.sizeBytes} bytes of ${reference}`);
}

/** Holds every object of the package against its manifest, and the log against its tree. */
async function verify(registry: Registry, id: string): Promise<void> {
  const report = await registry.verifyPackage(id);
  const head = await registry.verifyLog();
  console.log(`verified ${report.reference}: ${report.problems.length} problems`);
  console.log(`verified the log: ${head.size} events`);
}

/** What is finalized never changes, and every refusal has a code. */
async function refuseAgain(registry: Registry, version: string): Promise<void> {
  try {
    await registry.createPackage({ namespace: "acme", name: "embedded", version });
  } catch (error) {
    if (!isStoreError(error)) throw error;
    console.log(`refused: ${error.code}`);
  }
}

/** Follows the log from where it was before; a tail goes on for ever, until it is aborted. */
async function follow(registry: Registry, since: number): Promise<void> {
  const { size } = await registry.head();
  const ending = new AbortController();
  for await (const event of registry.tailEvents({ since, signal: ending.signal })) {
    console.log(`event ${event.seq} ${event.type} ${event.subject}`);
    if (event.seq === size) ending.abort();
  }
}
