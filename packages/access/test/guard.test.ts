import {
  guardRegistry,
  localPrincipal,
  parseScopes,
  type Principal,
  type PrincipalKind,
} from "@store/access";
import { isStoreError, type ContentAddress } from "@store/identity";
import type { HoldInfo, PackageInfo, Registry } from "@store/registry";
import { describe, expect, test } from "vitest";

import { codeOf, dialects, openTestAccess, type Dialect } from "./instance.ts";

/** What the table's calls are about: a package that is open and one that is finalized, of a name. */
interface World {
  readonly namespace: string;
  readonly open: PackageInfo;
  readonly finalized: PackageInfo;
  readonly hold: HoldInfo;
  readonly address: ContentAddress;
}

async function* bytesOf(text: string) {
  yield new TextEncoder().encode(text);
}

async function makeWorld(registry: Registry, namespace: string, at = 0): Promise<World> {
  const create = (version: string) => registry.createPackage({ namespace, name: "app", version });
  const open = await create(`2.${at}.0`);
  const finalized = await create(`1.${at}.0`);
  const file = await registry.ingestFile(finalized.id, "a", bytesOf(`a of ${namespace} ${at}`));
  await registry.ingestFile(open.id, "a", bytesOf("open"));
  await registry.finalizePackage(finalized.id);
  const hold = await registry.placeHold(finalized.id, "audit");
  await registry.setTag({ packageId: finalized.id, tag: "stable" });
  const { address } = file;
  return { namespace, open, finalized: await registry.getPackage(finalized.id), hold, address };
}

/** What a method needs: a scope over the name, or one apart from any name. */
type Needed =
  | "read"
  | "write"
  | "admin"
  | "authenticated"
  | "reader"
  | "writer"
  | "instance"
  | "none";

interface Row {
  readonly needs: Needed;
  /** Calls the method so that it can succeed, or fail for want of something but a scope. */
  call(registry: Registry, world: World): unknown;
}

const absentId = "01900000-0000-7000-8000-000000000000";
const schema = { type: "object" };

/** Every method of the registry: a new one does not compile without its row. */
const table: { readonly [Name in Exclude<keyof Registry, "close">]: Row } = {
  as: { needs: "instance", call: (r) => r.as("somebody").head() },
  createPackage: {
    needs: "write",
    call: (r, { namespace }) => r.createPackage({ namespace, name: "app", version: "3.0.0" }),
  },
  ingestFile: { needs: "write", call: (r, w) => r.ingestFile(w.open.id, "b", bytesOf("b")) },
  addFile: { needs: "write", call: (r, w) => r.addFile(w.open.id, "c", w.address) },
  removeFile: { needs: "write", call: (r, w) => r.removeFile(w.open.id, "a") },
  finalizePackage: { needs: "write", call: (r, w) => r.finalizePackage(w.open.id) },
  abandonPackage: { needs: "write", call: (r, w) => r.abandonPackage(w.finalized.id) },
  yankPackage: { needs: "write", call: (r, w) => r.yankPackage(w.finalized.id) },
  unyankPackage: { needs: "write", call: (r, w) => r.unyankPackage(w.finalized.id) },
  getPackage: { needs: "read", call: (r, w) => r.getPackage(w.finalized.id) },
  resolve: { needs: "read", call: (r, w) => r.resolve(`${w.namespace}/app:stable`) },
  listPackages: { needs: "reader", call: (r) => r.listPackages() },
  listVersions: { needs: "authenticated", call: (r, w) => r.listVersions(w.namespace, "app") },
  listNames: { needs: "reader", call: (r) => r.listNames() },
  listFiles: { needs: "read", call: (r, w) => r.listFiles(w.finalized.id) },
  statFile: { needs: "read", call: (r, w) => r.statFile(w.finalized.id, "a") },
  getFile: { needs: "read", call: (r, w) => r.getFile(w.finalized.id, "a") },
  presignFile: { needs: "read", call: (r, w) => r.presignFile(w.finalized.id, "a") },
  getManifestBytes: { needs: "read", call: (r, w) => r.getManifestBytes(w.finalized.id, "cbor") },
  statObject: { needs: "read", call: (r, w) => r.statObject(w.address) },
  openObject: { needs: "read", call: (r, w) => r.openObject(w.address) },
  presignObject: { needs: "read", call: (r, w) => r.presignObject(w.address) },
  listMissing: { needs: "reader", call: (r, w) => r.listMissing([w.address]) },
  listBackends: { needs: "instance", call: (r) => r.listBackends() },
  locateObject: { needs: "instance", call: (r, w) => r.locateObject(w.address) },
  replicateObjects: {
    needs: "instance",
    call: (r) => firstOf(r.replicateObjects({ to: "primary" })),
  },
  verifyObjects: { needs: "instance", call: (r) => firstOf(r.verifyObjects()) },
  evacuateObjects: {
    needs: "instance",
    call: (r) => firstOf(r.evacuateObjects({ from: "primary" })),
  },
  restoreObject: { needs: "instance", call: (r, w) => r.restoreObject(w.address, { days: 1 }) },
  tendCopies: { needs: "instance", call: (r) => r.tendCopies() },
  setTag: { needs: "write", call: (r, w) => r.setTag({ packageId: w.finalized.id, tag: "next" }) },
  removeTag: {
    needs: "write",
    call: (r, { namespace }) => r.removeTag({ namespace, name: "app", tag: "stable" }),
  },
  listTags: { needs: "authenticated", call: (r, w) => r.listTags(w.namespace, "app") },
  registerMetadataSchema: {
    needs: "instance",
    call: (r) => r.registerMetadataSchema({ name: "x", schema }),
  },
  getMetadataSchema: { needs: "authenticated", call: (r) => r.getMetadataSchema("x") },
  listMetadataSchemas: { needs: "authenticated", call: (r) => r.listMetadataSchemas() },
  listRetentionClasses: { needs: "authenticated", call: (r) => r.listRetentionClasses() },
  getRetention: { needs: "read", call: (r, w) => r.getRetention(w.finalized.id) },
  setRetention: { needs: "admin", call: (r, w) => r.setRetention(w.finalized.id, "audit") },
  placeHold: { needs: "admin", call: (r, w) => r.placeHold(w.finalized.id, "audit") },
  releaseHold: { needs: "admin", call: (r, w) => r.releaseHold(w.hold.id) },
  getHold: { needs: "read", call: (r, w) => r.getHold(w.hold.id) },
  listHolds: { needs: "reader", call: (r) => r.listHolds() },
  createUpload: { needs: "writer", call: (r) => r.createUpload() },
  getUpload: { needs: "authenticated", call: (r) => r.getUpload(absentId) },
  listUploads: { needs: "authenticated", call: (r) => r.listUploads() },
  setUploadSize: { needs: "writer", call: (r) => r.setUploadSize(absentId, 1) },
  appendUpload: { needs: "writer", call: (r) => r.appendUpload(absentId, 0, bytesOf("")) },
  countOpenUploads: { needs: "instance", call: (r) => r.countOpenUploads() },
  cancelUpload: { needs: "authenticated", call: (r) => r.cancelUpload(absentId) },
  verifyPackage: { needs: "read", call: (r, w) => r.verifyPackage(w.finalized.id) },
  verifyLog: { needs: "instance", call: (r) => r.verifyLog() },
  readEvents: { needs: "reader", call: (r) => r.readEvents({}) },
  tailEvents: { needs: "reader", call: (r) => firstOf(r.tailEvents({ since: 0 })) },
  head: { needs: "reader", call: (r) => r.head() },
  replay: { needs: "instance", call: (r) => r.replay({ check: true }) },
  sweep: { needs: "instance", call: (r) => r.sweep() },
  health: { needs: "instance", call: (r) => r.health() },
};

async function firstOf<T>(items: AsyncIterable<T>): Promise<T | undefined> {
  for await (const item of items) return item;
  return undefined;
}

function principal(kind: PrincipalKind, ...scopes: string[]): Principal {
  return { actor: `test:${kind}`, kind, scopes: parseScopes(scopes) };
}

const callers: Readonly<Record<string, Principal>> = {
  nobody: principal("anonymous"),
  "everybody who may read": principal("anonymous", "read:*"),
  setup: principal("setup"),
  "a credential without scopes": principal("user"),
  "metrics alone": principal("token", "metrics"),
  "a reader": principal("user", "read:acme/*"),
  "a reader of the name": principal("user", "read:acme/app"),
  "a writer": principal("token", "write:acme/*"),
  "an admin of the namespace": principal("user", "admin:acme/*"),
  "an admin of another": principal("user", "admin:zeta/*"),
  "a reader of all": principal("user", "read:*"),
  "a writer of all": principal("user", "write:*"),
  "an admin of all": principal("user", "admin:*"),
  "the operator": localPrincipal("local:operator"),
};

const levels: readonly string[] = ["read", "write", "admin"];

/** What the caller may do to the name in the table, and at all. */
function rightsOf({ scopes }: Principal) {
  let level = -1;
  let best = -1;
  let isInstance = false;
  for (const scope of scopes) {
    if (scope.level === "metrics") continue;
    const rank = levels.indexOf(scope.level);
    best = Math.max(best, rank);
    const { namespace } = scope.pattern;
    if (namespace.text === "" || namespace.text === "acme") level = Math.max(level, rank);
    isInstance ||= scope.level === "admin" && namespace.text === "";
  }
  return { level, best, isInstance };
}

/** Letter for letter what a caller is told, with the ids of the two worlds made the same. */
async function outcomeOf(work: () => unknown, world: World, dialect: Dialect): Promise<string> {
  try {
    await work();
    return `done on ${dialect}`;
  } catch (error) {
    if (!isStoreError(error)) throw error;
    const { code, message, context } = error;
    return JSON.stringify({ code, message, context })
      .replaceAll(world.open.id, "OPEN")
      .replaceAll(world.finalized.id, "FINALIZED")
      .replaceAll(world.hold.id, "HOLD")
      .replaceAll(world.address, "ADDRESS")
      .replaceAll(world.namespace, "NAMESPACE");
  }
}

const absent: World = {
  namespace: "none",
  open: { id: "01900000-0000-7000-8000-000000000001" } as PackageInfo,
  finalized: { id: "01900000-0000-7000-8000-000000000002" } as PackageInfo,
  hold: { id: "01900000-0000-7000-8000-000000000003" } as HoldInfo,
  address: `blake3:${"0".repeat(64)}` as ContentAddress,
};

/** Whether the call goes through, is refused for want of a scope, or finds nothing. */
function expected(needs: Needed, caller: Principal): "through" | "refused" | "hidden" {
  const { level, best, isInstance } = rightsOf(caller);
  const isNobody = caller.kind === "anonymous" && caller.scopes.length === 0;
  if (isNobody || (caller.kind === "setup" && needs !== "none")) return "refused";
  switch (needs) {
    case "none":
    case "authenticated":
      return "through";
    case "reader":
      return best >= 0 ? "through" : "refused";
    case "writer":
      return best >= 1 ? "through" : "refused";
    case "instance":
      return isInstance ? "through" : "refused";
    default: {
      if (level >= levels.indexOf(needs)) return "through";
      return level >= 0 ? "refused" : "hidden";
    }
  }
}

const denials = ["permission_denied", "unauthenticated"];

describe.each(dialects)("the guarded registry on %s", (dialect) => {
  test.each(Object.entries(callers))("lets %s do what the scopes say", async (_, caller) => {
    await using t = await openTestAccess(dialect);
    let made = 0;
    let world = await makeWorld(t.registry, "acme");
    for (const [method, { needs, call }] of Object.entries(table)) {
      const guarded = guardRegistry(t.registry, caller);
      const before = await t.log.head();
      const given = await outcomeOf(() => call(guarded, world), world, dialect);
      const what = `${method}: ${given}`;
      const code = /"code":"(\w+)"/.exec(given)?.[1] ?? "done";
      const want = method === "createPackage" ? createExpected(caller) : expected(needs, caller);
      if (want === "through") {
        expect(denials, what).not.toContain(code);
        if (needs === "read") expect(given, what).toBe(`done on ${dialect}`);
      } else {
        expect((await t.log.head()).size, what).toBe(before.size);
      }
      if (want === "refused") {
        expect(code, what).toBe(caller.kind === "anonymous" ? denials[1] : denials[0]);
      }
      if (want === "hidden") {
        const none = await outcomeOf(() => call(guarded, absent), absent, dialect);
        expect(given, method).toBe(none);
        expect(denials, what).not.toContain(code);
      }
      if (want === "through" && ["write", "admin"].includes(needs)) {
        await cleanUp(t.registry, world);
        made += 1;
        world = await makeWorld(t.registry, "acme", made);
      }
    }
  });

  test("names the scope that is needed, and nothing else", async () => {
    await using t = await openTestAccess(dialect);
    const world = await makeWorld(t.registry, "acme");
    const reader = guardRegistry(t.registry, principal("user", "read:*"));
    await expect(reader.yankPackage(world.finalized.id)).rejects.toMatchObject({
      code: "permission_denied",
      message: "This needs the scope write:acme/app.",
      context: { expected: "write:acme/app" },
    });
    await expect(reader.releaseHold(world.hold.id)).rejects.toMatchObject({
      context: { expected: "admin:acme/app" },
    });
  });

  test("shows a list of what is covered, and events of nobody's account", async () => {
    await using t = await openTestAccess(dialect);
    await makeWorld(t.registry, "acme");
    await makeWorld(t.registry, "zeta");
    await t.user("ada", "read:acme/*");
    const reader = guardRegistry(t.registry, principal("user", "read:acme/*"));
    const names = (await reader.listPackages()).items.map(({ namespace }) => namespace);
    expect(new Set(names)).toEqual(new Set(["acme"]));
    const events = (await reader.readEvents({ limit: 1_000 })).items;
    expect(events.filter(({ subject }) => /^(zeta|user|session|token|key)/.test(subject))).toEqual(
      [],
    );
    const admin = guardRegistry(t.registry, principal("user", "admin:*"));
    const all = (await admin.readEvents({ limit: 1_000 })).items;
    expect(all.some(({ subject }) => subject.startsWith("user:"))).toBe(true);
  });

  test("records its principal's actor, and nobody closes it without admin:*", async () => {
    await using t = await openTestAccess(dialect);
    const writer = guardRegistry(t.registry, principal("token", "write:acme/*"));
    const made = await writer.createPackage({ namespace: "acme", name: "app", version: "1.0.0" });
    expect(made.createdBy).toBe("test:token");
    expect(await codeOf(writer.close())).toBe("permission_denied");
    const tail = writer.tailEvents({ since: 0 });
    expect(await firstOf(tail)).toMatchObject({ seq: 1 });
  });
});

/** A name that may not be read can be made, or not, without telling whether it is there. */
function createExpected(caller: Principal): "through" | "refused" {
  return expected("write", caller) === "through" ? "through" : "refused";
}

/** So that the next row finds its world as this one did. */
async function cleanUp(registry: Registry, world: World): Promise<void> {
  for (const { id } of (await registry.listHolds({ released: false })).items) {
    await registry.releaseHold(id);
  }
  const { items } = await registry.listPackages();
  for (const { id, status } of items) if (status === "open") await registry.abandonPackage(id);
  expect(items.some(({ id }) => id === world.finalized.id)).toBe(true);
}
