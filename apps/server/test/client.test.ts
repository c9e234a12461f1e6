import { createClient, uploadFiles, type StoreClient, type UploadSource } from "@store/client";
import { nodeTransport } from "@store/client/node";
import { digestBytes, contentAddress } from "@store/identity";
import { describe, expect, onTestFinished, test } from "vitest";

import { startTestServer, type TestServer } from "./service.ts";

const transports = ["fetch", "node:http"] as const;

/** A server, and a client of it that may do everything. */
async function open(transport: (typeof transports)[number] = "node:http") {
  const server = await startTestServer();
  const sender = transport === "fetch" ? undefined : nodeTransport();
  onTestFinished(async () => {
    sender?.close();
    await server[Symbol.asyncDispose]();
  });
  const as = (token: string) =>
    createClient({
      url: server.url,
      credential: { token },
      retry: { firstDelayMs: 1, longestDelayMs: 10 },
      ...(sender === undefined ? {} : { transport: sender }),
    });
  return { server, as, client: as("owner") };
}

function source(path: string, bytes: Uint8Array, more: Partial<UploadSource> = {}): UploadSource {
  return {
    path,
    open: async function* (range) {
      yield bytes.subarray(range?.start ?? 0, range?.end);
    },
    ...more,
  };
}

async function gathered(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const gathered: Uint8Array[] = [];
  for await (const chunk of chunks) gathered.push(chunk);
  return Buffer.concat(gathered);
}

async function addressOf(bytes: Uint8Array) {
  return contentAddress((await digestBytes(bytes)).primary);
}

const coordinates = { namespace: "acme", name: "app", version: "1.0.0" };
const big = Buffer.alloc(3_000_000, "0123456789");
const page = Buffer.from("<p>hello</p>");

async function publish(client: StoreClient, version = "1.0.0", files = [source("big", big)]) {
  const made = await client.createPackage({ ...coordinates, version });
  await uploadFiles(client, made.id, files, { resumableFromBytes: Infinity });
  const finalized = await client.finalizePackage(made.id);
  return { ...finalized.package, id: made.id };
}

describe.each(transports)("over %s", (transport) => {
  test("a package goes there and comes back as the registry has it", async () => {
    const { server, client } = await open(transport);
    const { registry } = server;
    const made = await client.createPackage({
      ...coordinates,
      metadata: { built: [1, 2.5, null] },
    });
    expect(await registry.getPackage(made.id)).toEqual(made);

    const uploaded = await uploadFiles(
      client,
      made.id,
      [
        source("bin/app", big, { executable: true }),
        source("docs/index.html", page, { mediaType: "text/html" }),
        source("copy of app", big),
        source("empty", new Uint8Array()),
      ],
      { resumableFromBytes: 1_000_000 },
    );
    expect(uploaded).toEqual({
      files: 4,
      bytes: 2 * big.byteLength + page.byteLength,
      sentBytes: big.byteLength + page.byteLength,
      deduplicated: 1,
      newObjects: 3,
      newBytes: big.byteLength + page.byteLength,
    });
    expect(await client.listFiles(made.id)).toEqual(await registry.listFiles(made.id));
    for (const path of ["bin/app", "docs/index.html", "empty"]) {
      const file = await registry.statFile(made.id, path);
      expect(await client.statFile(made.id, path)).toEqual(file);
      expect((await client.getFile(made.id, path)).file).toEqual(file);
    }

    const finalized = await client.finalizePackage(made.id);
    expect(finalized.package).toEqual(
      (await registry.listPackages({ status: "finalized" })).items[0],
    );
    const { body, verified } = await client.getFile(made.id, "bin/app");
    expect(await gathered(body)).toEqual(big);
    expect(verified).toBe("whole");
    const range = { start: 1_000_001, end: 2_000_002 };
    const part = await client.getFile(made.id, "bin/app", { range });
    expect(await gathered(part.body)).toEqual(big.subarray(range.start, range.end));

    for (const form of ["cbor", "jcs"] as const) {
      expect(Buffer.from(await client.getManifestBytes(made.id, form))).toEqual(
        Buffer.from(await registry.getManifestBytes(made.id, form)),
      );
    }
    const reference = "acme/app@1.0.0";
    expect(await client.resolve(reference)).toEqual(await registry.resolve(reference));
    expect(await client.verifyPackage(made.id)).toEqual(await registry.verifyPackage(made.id));
    const archive = await gathered(await client.getArchive(made.id, "tar"));
    expect(archive.includes(page)).toBe(true);
  });

  test("an unchanged tree sends no byte a second time", async () => {
    const { client } = await open(transport);
    const files = Array.from({ length: 50 }, (_, index) =>
      source(`file ${index}`, Buffer.from(`content ${index}`)),
    );
    await publish(client, "1.0.0", files);
    const again = await client.createPackage({ ...coordinates, version: "1.0.1" });
    expect(await uploadFiles(client, again.id, files)).toMatchObject({
      files: 50,
      sentBytes: 0,
      deduplicated: 50,
      newObjects: 0,
    });
  });

  test("the log is read as the registry has it, and followed", async () => {
    const { server, client } = await open(transport);
    await publish(client);
    const { items } = await server.registry.readEvents({ after: 0 });
    const stored = await client.readStoredEvents({ after: 0 });
    expect(stored.items.map(plain)).toEqual(items.map(plain));
    const asJson = await client.readEvents({ after: 0 });
    expect(asJson).toMatchObject({ scannedTo: stored.scannedTo, head: stored.head });
    expect(asJson.items.map(({ id }) => id)).toEqual(items.map(({ id }) => id));
    const { frontier: _, ...head } = await server.registry.head();
    expect(plain(await client.head())).toEqual(plain(head));

    const followed: number[] = [];
    for await (const event of client.tailEvents({ since: 0 })) {
      followed.push(event.seq);
      if (event.seq === head.size) void client.createPackage({ ...coordinates, name: "other" });
      if (event.seq > head.size) break;
    }
    expect(followed).toEqual(Array.from({ length: head.size + 1 }, (_, index) => index + 1));
  });
});

/** Bytes as bytes, whatever array they are in. */
function plain(value: object): object {
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      item instanceof Uint8Array ? Buffer.from(item).toString("hex") : item,
    ]),
  );
}

test("lists, names, tags and yanks as the registry does", async () => {
  const { server, client } = await open();
  const { registry } = server;
  const [one, two] = [await publish(client, "1.0.0"), await publish(client, "1.1.0")];
  const target = { packageId: one.id, tag: "stable" };
  const tag = await client.setTag(target, { expected: null });
  await expect(client.setTag(target, { expected: null })).rejects.toMatchObject({
    code: "tag_conflict",
  });
  await client.setTag({ packageId: two.id, tag: "stable" }, { expected: one.id });
  expect(tag).toMatchObject({ packageId: one.id, version: "1.0.0" });
  expect(await client.listTags("acme", "app")).toEqual(await registry.listTags("acme", "app"));
  await client.removeTag({ ...coordinates, tag: "stable" }, { expected: two.id });
  expect(await client.yankPackage(two.id, { reason: "broken" })).toMatchObject({
    status: "yanked",
    yankReason: "broken",
  });
  await client.unyankPackage(two.id);
  expect(await client.listVersions("acme", "app")).toEqual(
    await registry.listVersions("acme", "app"),
  );
  expect(await client.listNames()).toEqual(await registry.listNames());
  expect(await client.getName("acme", "app")).toMatchObject({ latest: { version: "1.1.0" } });
  const first = await client.listPackages({ namespace: "acme" }, { limit: 1 });
  expect(first).toEqual(await registry.listPackages({ namespace: "acme" }, { limit: 1 }));
  const { cursor = "" } = first;
  expect(await client.listPackages({ namespace: "acme" }, { limit: 1, cursor })).toMatchObject({
    items: [{ version: "1.1.0" }],
  });
});

test("keeps, holds and describes as the registry does", async () => {
  const { server, client } = await open();
  const { registry } = server;
  const { id } = await publish(client);
  expect(await client.listRetentionClasses()).toEqual(await registry.listRetentionClasses());
  await client.setRetention(id, "audit");
  expect(await client.getRetention(id)).toEqual(await registry.getRetention(id));
  const hold = await client.placeHold(id, "a case");
  expect(await client.listHolds({ packageId: id, released: false })).toMatchObject({
    items: [hold],
  });
  expect(await client.releaseHold(hold.id)).toMatchObject({ id: hold.id, releasedBy: "owner" });
  const schema = { type: "object", constructor: { "": null } };
  await client.registerMetadataSchema({ name: "build", schema });
  expect(await client.getMetadataSchema("build@1")).toEqual(
    await registry.getMetadataSchema("build@1"),
  );
  expect(await client.listMetadataSchemas()).toEqual(await registry.listMetadataSchemas());
  expect(await client.replay({ check: true })).toMatchObject({ differences: [] });
  expect(await client.verifyLog()).toEqual(await client.head());
  expect(await client.sweep()).toMatchObject({ packagesExpired: 0 });
  expect(await client.health()).toMatchObject({ healthy: true });
});

test("abandons what is open, and does not yank what is finalized", async () => {
  const { client } = await open();
  const { id } = await publish(client);
  await expect(client.abandonPackage(id)).rejects.toMatchObject({ code: "package_finalized" });
  expect(await client.getPackage(id)).toMatchObject({ status: "finalized" });
  const other = await client.createPackage({ ...coordinates, version: "2.0.0" });
  await client.abandonPackage(other.id);
  await expect(client.getPackage(other.id)).rejects.toMatchObject({ code: "package_not_found" });
});

test("says why something is refused, also where HEAD was refused", async () => {
  const { client, as } = await open();
  const { id } = await publish(client);
  await expect(client.statFile(id, "none")).rejects.toMatchObject({ code: "file_not_found" });
  await expect(client.getFile(id, "big", { range: { start: 9e9 } })).rejects.toMatchObject({
    code: "invalid_range",
  });
  await expect(as("nobody").getPackage(id)).rejects.toMatchObject({ code: "unauthenticated" });
  await expect(as("reader").createPackage(coordinates)).rejects.toMatchObject({
    code: "permission_denied",
  });
  await expect(client.resolve("acme/app@9")).rejects.toMatchObject({ code: "package_not_found" });
});

test("knows objects by either digest, and which of many are missing", async () => {
  const { server, client } = await open();
  const { id } = await publish(client);
  const { address, sha256, sizeBytes } = await server.registry.statFile(id, "big");
  expect(await client.statObject(sha256)).toEqual({ address, sha256, sizeBytes });
  const { object, body } = await client.openObject(address);
  expect(object).toEqual({ address, sha256, sizeBytes });
  expect(await gathered(body)).toEqual(big);
  const other = await addressOf(Buffer.from("nothing"));
  const many = Array.from({ length: 10_050 }, () => address).with(10_049, other);
  expect(await client.listMissing(many)).toEqual([other]);
});

test("goes on with an upload that another client began", async () => {
  const { client, as } = await open();
  const made = await client.createPackage(coordinates);
  const stop = new AbortController();
  const slowly = source("big", big, {
    open: async function* (range) {
      for (let at = range?.start ?? 0; at < (range?.end ?? big.byteLength); at += 100_000) {
        // The second reading is the one that is sent.
        if (isSending && at >= 1_500_000) stop.abort();
        yield big.subarray(at, Math.min(at + 100_000, range?.end ?? Infinity));
        await new Promise((resolve) => setImmediate(resolve));
      }
      isSending = true;
    },
  });
  let isSending = false;
  const options = { resumableFromBytes: 1_000_000 };
  await expect(
    uploadFiles(client, made.id, [slowly], { ...options, signal: stop.signal }),
  ).rejects.toMatchObject({ code: "aborted" });
  const begun = await client.listUploads();
  expect(begun.items).toMatchObject([{ status: "open", sizeBytes: big.byteLength }]);

  const offsetBytes = await client.getUploadOffset(begun.items[0]?.id ?? "");
  expect(offsetBytes).toBeGreaterThan(0);
  const outcome = await uploadFiles(as("owner"), made.id, [source("big", big)], options);
  expect(outcome.sentBytes).toBeLessThanOrEqual(big.byteLength);
  expect((await client.listUploads()).items).toMatchObject([
    { id: begun.items[0]?.id, status: "complete", address: await addressOf(big) },
  ]);
  const { body } = await client.getFile(made.id, "big");
  expect(await gathered(body)).toEqual(big);
});

test("cancels an upload, and again", async () => {
  const { client } = await open();
  const upload = await client.createUpload({ metadata: { note: "größe" } });
  expect(await client.getUpload(upload.id)).toMatchObject({ metadata: { note: "größe" } });
  const sizeBytes = page.byteLength;
  const { address } = await client.appendUpload(upload.id, 0, page, { sizeBytes });
  expect(address).toBe(await addressOf(page));
  await client.cancelUpload(upload.id);
  await expect(client.getUpload(upload.id)).rejects.toMatchObject({ code: "upload_not_found" });
});

test("says that a source changed after it was hashed", async () => {
  const { client } = await open();
  const made = await client.createPackage(coordinates);
  let count = 0;
  const changing = source("a", big, {
    open: async function* () {
      count += 1;
      yield Buffer.alloc(big.byteLength, String(count));
    },
  });
  await expect(uploadFiles(client, made.id, [changing])).rejects.toMatchObject({
    code: "source_changed",
  });
});

test("uploads to a registry in the same process as well", async () => {
  const { server } = await open();
  const registry: TestServer["registry"] = server.registry;
  const made = await registry.createPackage(coordinates);
  const files = [source("a", big), source("b", big), source("c", page)];
  expect(await uploadFiles(registry, made.id, files)).toMatchObject({
    files: 3,
    deduplicated: 1,
    newObjects: 2,
  });
});
