import { isStoreError, parseContentAddress, parseNamePattern } from "@store/identity";
import type { Registry } from "@store/registry";
import { describe, expect, test } from "vitest";

import { bytesOf, dialects, openTestInstance, publish } from "./instance.ts";

/** What a call comes to, as its caller sees all of it. */
async function outcomeOf(call: () => Promise<unknown>): Promise<string> {
  try {
    return JSON.stringify({ value: (await call()) ?? null });
  } catch (error) {
    if (!isStoreError(error)) throw error;
    const { code, message, context, cause } = error;
    return JSON.stringify({ code, message, context, cause: String(cause) });
  }
}

const absentId = "01900000-0000-7000-8000-999999999999";
const absentAddress = parseContentAddress(`blake3:${"0".repeat(64)}`);

/** Every method that takes the id of a package. */
const byPackageId: Record<string, (reader: Registry, id: string, key: object) => Promise<unknown>> =
  {
    getPackage: (reader, id) => reader.getPackage(id),
    listFiles: (reader, id) => reader.listFiles(id),
    statFile: (reader, id) => reader.statFile(id, "a.txt"),
    "statFile of no file": (reader, id) => reader.statFile(id, "nothing"),
    getFile: (reader, id) => reader.getFile(id, "a.txt"),
    presignFile: (reader, id) => reader.presignFile(id, "a.txt"),
    "getFile beyond its end": (reader, id) => reader.getFile(id, "a.txt", { range: { start: 99 } }),
    getManifestBytes: (reader, id) => reader.getManifestBytes(id, "cbor"),
    getRetention: (reader, id) => reader.getRetention(id),
    verifyPackage: (reader, id) => reader.verifyPackage(id),
    listHolds: (reader, id) => reader.listHolds({ packageId: id }),
    ingestFile: (reader, id, key) => reader.ingestFile(id, "a.txt", bytesOf("x"), key),
    addFile: (reader, id, key) => reader.addFile(id, "b.txt", absentAddress, key),
    removeFile: (reader, id, key) => reader.removeFile(id, "a.txt", key),
    finalizePackage: (reader, id, key) => reader.finalizePackage(id, key),
    abandonPackage: (reader, id, key) => reader.abandonPackage(id, key),
    yankPackage: (reader, id, key) => reader.yankPackage(id, key),
    unyankPackage: (reader, id, key) => reader.unyankPackage(id, key),
    setTag: (reader, id, key) => reader.setTag({ packageId: id, tag: "stable" }, key),
    "setTag where one is expected": (reader, id, key) =>
      reader.setTag({ packageId: id, tag: "stable" }, { ...key, expected: null }),
    setRetention: (reader, id, key) => reader.setRetention(id, "audit", key),
    "setRetention to no class": (reader, id, key) => reader.setRetention(id, "none", key),
    placeHold: (reader, id, key) => reader.placeHold(id, "a reason", key),
  };

/** Every method that takes a name. */
const byName: Record<string, (reader: Registry, namespace: string) => Promise<unknown>> = {
  "resolve latest": (reader, namespace) => reader.resolve(`${namespace}/app`),
  "resolve the tag latest": (reader, namespace) => reader.resolve(`${namespace}/app:latest`),
  "resolve a variant": (reader, namespace) => reader.resolve(`${namespace}/app:latest/linux`),
  "resolve a version": (reader, namespace) => reader.resolve(`${namespace}/app@1.0.0`),
  "resolve variants": (reader, namespace) => reader.resolve(`${namespace}/app@2.0.0`),
  "resolve a tag": (reader, namespace) => reader.resolve(`${namespace}/app:stable`),
  "resolve a tag's variant": (reader, namespace) => reader.resolve(`${namespace}/app:stable/linux`),
  listVersions: (reader, namespace) => reader.listVersions(namespace, "app"),
  listTags: (reader, namespace) => reader.listTags(namespace, "app"),
  listNames: (reader, namespace) => reader.listNames({ namespace }),
  listPackages: (reader, namespace) => reader.listPackages({ namespace }),
  "listPackages of a name": (reader, namespace) => reader.listPackages({ namespace, name: "app" }),
  "listPackages of a tag": (reader, namespace) =>
    reader.listPackages({ namespace, name: "app", tag: "stable" }),
  "listPackages by search": (reader, namespace) =>
    reader.listPackages({ namespace, name: "app", q: "app" }),
  "search in the namespace": (reader, namespace) => reader.listPackages({ namespace, q: "app" }),
  search: (reader, namespace) => reader.listPackages({ q: namespace }),
  removeTag: (reader, namespace) => reader.removeTag({ namespace, name: "app", tag: "stable" }),
  "removeTag where one is expected": (reader, namespace) =>
    reader.removeTag({ namespace, name: "app", tag: "stable" }, { expected: null }),
  "readEvents of the name": (reader, namespace) =>
    reader.readEvents({ subject: `${namespace}/app` }),
  "readEvents of the namespace": (reader, namespace) => reader.readEvents({ subject: namespace }),
};

describe.each(dialects)("what a caller may not read on %s", (dialect) => {
  test("answers letter for letter as what is not there, and stays as it is", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry } = instance;
    const hidden = await publish(registry, { namespace: "hidden", version: "1.0.0" });
    for (const variant of ["linux", "macos"]) {
      await publish(registry, { namespace: "hidden", version: "2.0.0", variant });
    }
    await registry.setTag({ packageId: hidden.id, tag: "stable" });
    const hold = await registry.placeHold(hidden.id, "a reason");
    const open = await registry.createPackage({
      namespace: "hidden",
      name: "app",
      version: "3.0.0",
    });
    const { address, sha256 } = await registry.ingestFile(open.id, "a.txt", bytesOf("secret"));
    const names = ["acme/*", "absent/*"].map(parseNamePattern);
    const reader = registry.as("reader", { names, accounts: true });
    const own = await reader.createPackage({ namespace: "acme", name: "app", version: "1.0.0" });
    // A key that was used with another request is refused as such, if nothing comes before.
    const used = { idempotencyKey: "used" };
    await reader.placeHold(own.id, "another reason", used);
    const { size } = await registry.head();

    const differences: string[] = [];
    const compare = async (
      name: string,
      call: (of: string) => Promise<unknown>,
      [hiddenText, absentText]: readonly [string, string],
    ): Promise<void> => {
      const given = (await outcomeOf(() => call(hiddenText))).replaceAll(hiddenText, absentText);
      const absent = await outcomeOf(() => call(absentText));
      if (given !== absent) differences.push(`${name}: ${given} and not ${absent}`);
    };
    for (const [name, call] of Object.entries(byPackageId)) {
      for (const key of [{}, used, { idempotencyKey: name.replaceAll(" ", "-") }]) {
        for (const { id } of [hidden, open]) {
          await compare(name, (of) => call(reader, of, key), [id, absentId]);
        }
      }
    }
    for (const [name, call] of Object.entries(byName)) {
      await compare(name, (of) => call(reader, of), ["hidden", "absent"]);
    }
    await compare("getHold", (of) => reader.getHold(of), [hold.id, absentId]);
    for (const key of [{}, used]) {
      await compare("releaseHold", (of) => reader.releaseHold(of, key), [hold.id, absentId]);
    }
    const digest = hidden.manifestDigest ?? address;
    const manifest = [digest, absentAddress] as const;
    await compare("resolve a digest", (of) => reader.resolve(`hidden/app@${of}`), manifest);
    await compare("resolve a digest under another name", (of) => reader.resolve(`acme/app@${of}`), [
      digest,
      absentAddress,
    ]);
    for (const [known, other] of [
      [address, absentAddress],
      [sha256, `sha256:${"0".repeat(64)}`],
    ] as const) {
      for (const [name, call] of Object.entries(byAddress(own.id))) {
        await compare(name, (of) => call(reader, of as typeof known), [known, other]);
      }
    }
    expect(differences).toEqual([]);
    // Nothing of all that was recorded.
    expect((await registry.head()).size).toBe(size);
    expect(await reader.listMissing([address])).toEqual([address]);
  });

  test("is shown by no cursor of somebody who may", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry } = instance;
    for (const name of ["a", "b", "c"]) {
      for (const namespace of ["acme", "hidden"]) {
        const { id } = await publish(registry, { namespace, name, version: "1.0.0" });
        await registry.placeHold(id, "a reason");
      }
    }
    const reader = registry.as("reader", { names: [parseNamePattern("acme/*")], accounts: false });
    const lists = {
      packages: (of: Registry, page: object) => of.listPackages({}, page),
      names: (of: Registry, page: object) => of.listNames({}, page),
      search: (of: Registry, page: object) => of.listPackages({ q: "hidden" }, page),
      versions: (of: Registry, page: object) => of.listVersions("hidden", "a", page),
      holds: (of: Registry, page: object) => of.listHolds({}, page),
    };
    for (const list of Object.values(lists)) {
      for (const limit of [1, 2, 3, 4, 5]) {
        const { cursor } = await list(registry, { limit });
        if (cursor === undefined) continue;
        const page = await list(reader, { cursor });
        expect(JSON.stringify(page)).not.toContain("hidden");
        expect(page.cursor).toBeUndefined();
        const { cursor: own } = await list(reader, { limit });
        if (own !== undefined)
          expect(Buffer.from(own, "base64url").toString()).not.toMatch(/hidden/);
      }
    }
  });

  test("is not betrayed by bytes that were stored already", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry } = instance;
    await publish(registry, { namespace: "hidden", version: "1" }, { a: "secret", b: "other" });
    const reader = registry.as("reader", { names: [parseNamePattern("acme/*")], accounts: false });
    const own = await reader.createPackage({ namespace: "acme", name: "app", version: "1.0.0" });
    const send = async (path: string, content: string) => {
      const { id } = await reader.createUpload({ sizeBytes: content.length });
      await reader.appendUpload(id, 0, bytesOf(content));
      return reader.addFile(own.id, path, { upload: id });
    };
    expect(await reader.ingestFile(own.id, "a", bytesOf("secret"))).toMatchObject({
      deduplicated: false,
    });
    expect(await send("b", "other")).toMatchObject({ deduplicated: false });
    // What a readable package has is no secret.
    expect(await send("c", "other")).toMatchObject({ deduplicated: true });
    expect(await reader.ingestFile(own.id, "d", bytesOf("secret"))).toMatchObject({
      deduplicated: true,
    });
  });

  test("is no place to open a package in, whether or not something is there", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry } = instance;
    await publish(registry, { namespace: "hidden", version: "1.0.0" });
    const reader = registry.as("reader", { names: [parseNamePattern("acme/*")], accounts: false });
    const create = (namespace: string) =>
      outcomeOf(() => reader.createPackage({ namespace, name: "app", version: "1.0.0" }));
    const refused = await create("hidden");
    expect(refused).toContain("permission_denied");
    expect(refused.replaceAll("hidden", "absent")).toBe(await create("absent"));
  });
});

type Address = Parameters<Registry["statObject"]>[0];

/** Every method that takes the address of an object. */
function byAddress(
  packageId: string,
): Record<string, (reader: Registry, address: Address) => Promise<unknown>> {
  return {
    statObject: (reader, address) => reader.statObject(address),
    openObject: (reader, address) => reader.openObject(address),
    presignObject: (reader, address) => reader.presignObject(address),
    "openObject beyond its end": (reader, address) =>
      reader.openObject(address, { range: { start: 99 } }),
    listMissing: (reader, address) => reader.listMissing([address]),
    addFile: (reader, address) => reader.addFile(packageId, "known", address),
  };
}
