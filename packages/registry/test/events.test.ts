import { readFileSync } from "node:fs";

import { StoreError, type Digest } from "@store/identity";
import { decodeCbor, decodeManifest } from "@store/manifest";
import type { StoredEvent } from "@store/events";
import type { Registry } from "@store/registry";
import type { ObjectRetrieval } from "@store/storage";
import { createMemoryBackend } from "@store/storage/memory";
import { readCddl } from "@store/testing/cddl";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { recordedBytes, recordedEvent } from "../src/lib/events/codec.ts";
import { eventTypes, type NewEvent } from "../src/lib/events/types.ts";
import vectors from "../vectors/event-payloads.json" with { type: "json" };
import { bytesOf, countedIds, openTestInstance, publish } from "./instance.ts";
import { operation, runAll } from "./operations.ts";
import { putBytes, withOverrides } from "./several-backends.ts";

const judge = readCddl(new URL("../registry-events.cddl", import.meta.url));

/** `v1.package.created` is described by the rule `package-created`. */
const ruleOf = (type: string): string => type.replace("v1.", "").replaceAll(/[._]/g, "-");

/** A vector's payload, in which `{"hex": …}` stands for bytes. */
function payloadOf(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(payloadOf);
  if ("hex" in value && typeof value.hex === "string") return unhex(value.hex);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, payloadOf(item)]));
}

const unhex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "hex"));

function noDigest(): Digest {
  throw new Error("No manifest is read here.");
}

/** What replaying would make of a payload. */
function replayed(type: string, payload: Uint8Array): unknown {
  const event = { type, payload, seq: 7, occurredAt: "", actor: "", subject: "" };
  return recordedEvent(event as StoredEvent, noDigest)?.payload;
}

/** What recording would make of it. */
function recorded(type: string, payload: unknown): Uint8Array {
  return recordedBytes({ type, payload, subject: "" } as NewEvent);
}

function refusal(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof StoreError) return error.code;
    throw error;
  }
  return "accepted";
}

const [invalid, undecodable] = [true, false].map((hasPayload) =>
  vectors.invalid.filter((vector) => "payload" in vector === hasPayload),
) as [typeof vectors.invalid, typeof vectors.invalid];

describe("event-payloads.json", () => {
  test.each(vectors.valid)("is recorded and replayed byte for byte: $name", (vector) => {
    const payload = payloadOf(vector.payload);
    expect(judge(ruleOf(vector.type), payload)).toBeUndefined();
    expect(Buffer.from(recorded(vector.type, payload)).toString("hex")).toBe(vector.bytes);
    expect(replayed(vector.type, unhex(vector.bytes))).toEqual(payload);
  });

  test.each(invalid)("is neither recorded nor replayed: $name", ({ type, bytes, payload }) => {
    expect(judge(ruleOf(type), payloadOf(payload))).toEqual(expect.any(String));
    expect(refusal(() => recorded(type, payloadOf(payload)))).toBe("internal");
    expect(refusal(() => replayed(type, unhex(bytes)))).toBe("log_corrupt");
  });

  test.each(undecodable)("is no canonical CBOR: $name", ({ type, bytes }) => {
    expect(refusal(() => decodeCbor(unhex(bytes)))).toBe("invalid_cbor");
    expect(refusal(() => replayed(type, unhex(bytes)))).toBe("log_corrupt");
  });

  test("has every type, valid and invalid", () => {
    const plain = eventTypes.filter((type) => type !== "v1.package.finalized").toSorted();
    const types = (list: readonly { type: string }[]) =>
      [...new Set(list.map((vector) => vector.type))].toSorted();
    expect(types(vectors.valid)).toEqual(plain);
    expect(types(vectors.invalid)).toEqual(plain);
  });
});

test("registry-events.cddl describes what random commands record", async () => {
  const places = fallibleBackends();
  const { backends } = places;
  await using instance = await openTestInstance("sqlite", { ids: countedIds(), backends });
  const { registry, advance } = instance;
  const [operations = []] = fc.sample(fc.array(operation, { minLength: 300, maxLength: 300 }), {
    numRuns: 1,
    seed: 3,
  });
  await runAll({ registry, advance, packages: [], holds: [] }, operations);
  // What is rare among random commands.
  const { id } = await publish(registry, { name: "rare", version: "1.0.0" });
  await registry.setTag({ packageId: id, tag: "stable" });
  await registry.removeTag({ namespace: "acme", name: "rare", tag: "stable" });
  await registry.yankPackage(id);
  await registry.unyankPackage(id);
  await registry.releaseHold((await registry.placeHold(id, "a while")).id);
  await registry.setRetention(id, "audit");
  const open = await registry.createPackage({ namespace: "acme", name: "rare", version: "2.0.0" });
  await registry.ingestFile(open.id, "a", bytesOf("a"));
  await registry.removeFile(open.id, "a");
  await registry.abandonPackage(open.id);
  await registry.registerMetadataSchema({ name: "rare", schema: {} });
  await disturb(registry, places);
  const seen = new Set<string>();
  for await (const { type, payload } of allEvents(registry)) {
    seen.add(type);
    if (type === "v1.package.finalized") await decodeManifest(payload);
    else expect(judge(ruleOf(type), decodeCbor(payload))).toBeUndefined();
  }
  expect([...seen].toSorted()).toEqual([...eventTypes].toSorted());
  expect(await registry.replay({ check: true })).toMatchObject({ differences: [] });
});

/** A primary backend, a spare one that fails where it is told to, and an archive. */
function fallibleBackends() {
  const spare = createMemoryBackend();
  const cold = createMemoryBackend();
  const state: { fails: boolean; restore: ObjectRetrieval["restore"] } = {
    fails: false,
    restore: "none",
  };
  const retrieval = (): ObjectRetrieval => ({ tier: "archive", restore: state.restore });
  const failing = withOverrides(spare, {
    stat: async (address) => {
      if (state.fails) throw new StoreError("storage_unavailable", "The spare place is away.");
      return spare.stat(address);
    },
  });
  const archive = withOverrides(cold, {
    capabilities: { ...cold.capabilities, restores: true },
    stat: async (address) => {
      const stat = await cold.stat(address);
      return stat === undefined ? undefined : { ...stat, retrieval: retrieval() };
    },
    restore: async () => {
      state.restore = "requested";
      return retrieval();
    },
  });
  return { backends: { primary: createMemoryBackend(), spare: failing, archive }, spare, state };
}

/** Makes happen to copies and backends whatever can. */
async function disturb(
  registry: Registry,
  { backends, spare, state }: ReturnType<typeof fallibleBackends>,
): Promise<void> {
  const pkg = await registry.createPackage({ namespace: "acme", name: "copies", version: "1" });
  const { address } = await registry.ingestFile(pkg.id, "a", bytesOf("copied"));
  for (const to of ["spare", "archive"]) await Array.fromAsync(registry.replicateObjects({ to }));
  await registry.restoreObject(address, { days: 1 });
  state.restore = "restored";
  await registry.tendCopies();
  const walk = () => Array.fromAsync(registry.verifyObjects({ backend: "spare", restart: true }));
  await spare.remove(address);
  await walk();
  await putBytes(spare, address, new TextEncoder().encode("copied"));
  await walk();
  await backends.primary.remove(address);
  state.fails = true;
  const count = async (): Promise<number> =>
    (await registry.readEvents({ types: ["v1.backend.failed"] })).items.length;
  const { body } = await registry.getFile(pkg.id, "a");
  await Array.fromAsync(body);
  await expect.poll(count).toBe(1);
  state.fails = false;
  await registry.tendCopies();
  await Array.fromAsync(registry.evacuateObjects({ from: "spare" }));
}

async function* allEvents(
  registry: Awaited<ReturnType<typeof openTestInstance>>["registry"],
): AsyncGenerator<StoredEvent> {
  for (let after = 0; ;) {
    const { items, scannedTo, head } = await registry.readEvents({ after, limit: 1000 });
    yield* items;
    if (scannedTo >= head) return;
    after = scannedTo;
  }
}

test("docs/ARCHITECTURE.md lists every event type, and none that does not exist", () => {
  const document = readFileSync(new URL("../../../docs/ARCHITECTURE.md", import.meta.url), "utf8");
  const rows = document.split("\n").filter((line) => line.startsWith("| `v1."));
  const listed = rows.flatMap((row) =>
    [...row.matchAll(/`(v1\.[a-z_.]+)`/g)].map(([, type]) => type),
  );
  expect(listed.toSorted()).toEqual([...eventTypes].toSorted());
});

test("replaying refuses an event type that this code does not know", async () => {
  await using instance = await openTestInstance("sqlite");
  const { registry, log } = instance;
  await publish(registry, { version: "1.0.0" });
  await log.transact("newer", async (tx) => {
    tx.append({ type: "v1.package.renamed", subject: "acme/app", payload: Uint8Array.of(0xa0) });
  });
  for (const check of [true, false]) {
    await expect(registry.replay({ check })).rejects.toMatchObject({
      code: "schema_too_new",
      message: expect.stringContaining("v1.package.renamed"),
    });
  }
  expect((await registry.resolve("acme/app")).package.version).toBe("1.0.0");
});

test("replaying names the event whose payload is not that of its type", async () => {
  await using instance = await openTestInstance("sqlite");
  const { registry, log } = instance;
  await log.transact("vandal", async (tx) => {
    tx.append({ type: "v1.package.yanked", subject: "acme/app", payload: Uint8Array.of(0xa0) });
  });
  await expect(registry.replay({ check: true })).rejects.toMatchObject({
    code: "log_corrupt",
    message: expect.stringContaining("event 7"),
  });
});
