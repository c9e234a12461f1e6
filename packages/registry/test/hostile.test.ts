import type { Registry } from "@store/registry";
import { isStoreError } from "@store/identity";
import { rounds } from "@store/testing/prove";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { bytesOf, dialects, openTestInstance, publish } from "./instance.ts";

/** What no type allows, and what a type allows but no rule. */
const hostileText = fc.oneof(
  fc.constantFrom(
    "",
    "\0",
    "\u0000acme",
    "\ud800",
    "../../etc/passwd",
    "a\nb",
    "'; DROP TABLE events; --",
    "%00",
    "NaN",
    "__proto__",
    "constructor",
    "Acme",
    "x".repeat(100_000),
    "é".repeat(2_000),
    "01900000-0000-7000-8000-00000000000g",
    "01900000-0000-7000-8000-000000000000",
    `blake3:${"0".repeat(64)}`,
    `sha256:${"0".repeat(64)}`,
    "blake3:\0",
  ),
  fc.string({ unit: "binary" }),
);
const anything = fc.oneof(
  { weight: 2, arbitrary: hostileText },
  {
    weight: 1,
    arbitrary: fc.constantFrom<unknown>(undefined, null, NaN, -1, 1.5, Infinity, 2 ** 53),
  },
  { weight: 1, arbitrary: fc.constantFrom<unknown>(() => 1, Symbol("x"), 10n, new Date(NaN), []) },
  {
    weight: 2,
    arbitrary: fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withNullPrototype: true,
      withObjectString: true,
      withSet: true,
      withSparseArray: true,
      withTypedArray: true,
    }),
  },
);

/** Cursors as the lists make them, about keys that no list would put into one. */
const forgedCursor = fc
  .tuple(
    fc.constantFrom("packages", "versions", "names", "files", "tags", "holds", "schemas"),
    fc.array(fc.oneof(hostileText, fc.integer(), fc.double(), fc.constant(null), fc.jsonValue()), {
      maxLength: 6,
    }),
  )
  .map((list) => Buffer.from(JSON.stringify(list)).toString("base64url"));

const orAnything = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 3, arbitrary }, { weight: 2, arbitrary: anything });

const record = (fields: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<unknown> => {
  const hostile = Object.entries(fields).map(([name, field]) => [name, orAnything(field)]);
  return orAnything(fc.record(Object.fromEntries(hostile) as typeof fields, { requiredKeys: [] }));
};

/** The arguments of each method: each may be right, and each may be anything. */
function argumentsOf(packageIds: readonly string[]): Record<string, fc.Arbitrary<unknown[]>> {
  const id = orAnything(fc.constantFrom(...packageIds));
  const name = fc.constantFrom("acme", "app", "stable");
  const path = orAnything(fc.constantFrom("a.txt", "b/c"));
  const reason = orAnything(fc.constant("a reason"));
  const key = fc.constantFrom("key-1", "key-2");
  const mutation = record({
    idempotencyKey: key,
    reason: fc.constant("x"),
    expected: fc.constant(null),
  });
  const file = {
    mediaType: fc.constant("text/plain"),
    executable: fc.boolean(),
    replace: fc.boolean(),
  };
  const coordinates = { namespace: name, name, version: fc.constant("1.0.0"), variant: name };
  const metadata = fc.dictionary(fc.string(), fc.jsonValue());
  const page = record({ limit: fc.integer({ min: 1, max: 9 }), cursor: forgedCursor });
  const filter = record({ ...coordinates, tag: name, status: fc.constant("open"), q: name });
  const source = orAnything(fc.constant(bytesOf("bytes")));
  const range = record({ start: fc.nat(9), end: fc.nat(9) });
  const expectation = record({ address: hostileText, sizeBytes: fc.nat(9) });
  const selector = record({
    kind: fc.constantFrom("latest", "tag", "version", "digest"),
    tag: name,
  });
  const count = fc.nat(9);
  const presigned = { expiresMs: count, mediaType: name, disposition: name };
  const walk = { restart: fc.boolean(), concurrency: count, signal: fc.constant(1) };
  const part = record({ text: name, isPrefix: fc.boolean() });
  return {
    createPackage: fc.tuple(
      record({
        ...coordinates,
        metadata,
        metadataSchema: name,
        retentionClass: name,
        source: name,
      }),
      mutation,
    ),
    ingestFile: fc.tuple(id, path, source, record({ ...file, expect: expectation })),
    addFile: fc.tuple(id, path, orAnything(hostileText), record({ ...file, idempotencyKey: key })),
    removeFile: fc.tuple(id, path, mutation),
    finalizePackage: fc.tuple(id, mutation),
    abandonPackage: fc.tuple(id, mutation),
    yankPackage: fc.tuple(id, mutation),
    unyankPackage: fc.tuple(id, mutation),
    getPackage: fc.tuple(id),
    resolve: fc.tuple(record({ namespace: name, name, selector })),
    listPackages: fc.tuple(filter, page),
    listVersions: fc.tuple(orAnything(name), orAnything(name), page),
    listNames: fc.tuple(filter, page),
    listFiles: fc.tuple(id, page),
    statFile: fc.tuple(id, path),
    getFile: fc.tuple(id, path, record({ range })),
    getManifestBytes: fc.tuple(id, orAnything(fc.constant("jcs"))),
    setTag: fc.tuple(record({ packageId: id, tag: name }), mutation),
    removeTag: fc.tuple(record({ namespace: name, name, tag: name }), mutation),
    listTags: fc.tuple(orAnything(name), orAnything(name), page),
    registerMetadataSchema: fc.tuple(record({ name, schema: metadata }), mutation),
    getMetadataSchema: fc.tuple(orAnything(name)),
    listMetadataSchemas: fc.tuple(page),
    getRetention: fc.tuple(id),
    setRetention: fc.tuple(id, orAnything(fc.constant("audit")), mutation),
    placeHold: fc.tuple(id, reason, mutation),
    releaseHold: fc.tuple(id, mutation),
    getHold: fc.tuple(id),
    listHolds: fc.tuple(record({ packageId: id, released: fc.boolean() }), page),
    verifyPackage: fc.tuple(id, record({ signal: fc.constant(1), onProgress: fc.constant(1) })),
    readEvents: fc.tuple(
      record({ after: count, limit: count, types: fc.array(name), subject: name }),
    ),
    tailEvents: fc.tuple(record({ since: count, batchSize: count, signal: fc.constant(1) })),
    statObject: fc.tuple(orAnything(hostileText)),
    openObject: fc.tuple(orAnything(hostileText), record({ range })),
    presignFile: fc.tuple(id, path, record(presigned)),
    presignObject: fc.tuple(orAnything(hostileText), record(presigned)),
    locateObject: fc.tuple(orAnything(hostileText)),
    restoreObject: fc.tuple(
      orAnything(hostileText),
      record({ days: count, speed: fc.constant("bulk"), backend: name }),
      mutation,
    ),
    replicateObjects: fc.tuple(record({ to: name, from: name, ...walk })),
    verifyObjects: fc.tuple(record({ backend: name, ...walk })),
    evacuateObjects: fc.tuple(record({ to: name, from: name, ...walk })),
    tendCopies: fc.tuple(record({ signal: fc.constant(1) })),
    listMissing: fc.tuple(orAnything(fc.array(orAnything(hostileText)))),
    createUpload: fc.tuple(
      record({
        sizeBytes: count,
        expect: record({ address: hostileText, sizeBytes: count }),
        metadata: fc.dictionary(fc.string(), fc.string()),
      }),
    ),
    getUpload: fc.tuple(id, record({ settled: fc.boolean() })),
    listUploads: fc.tuple(page),
    setUploadSize: fc.tuple(id, orAnything(count)),
    appendUpload: fc.tuple(
      id,
      orAnything(count),
      source,
      record({ signal: fc.constant(1), checksum: record({ algorithm: name }) }),
    ),
    cancelUpload: fc.tuple(id),
    as: fc.tuple(
      orAnything(name),
      record({
        names: fc.array(record({ namespace: part, name: part })),
        accounts: fc.boolean(),
      }),
    ),
  };
}

/** Calls a method as plain JavaScript may; gives the fault of the error, if there is one. */
async function faultOf(registry: Registry, method: string, args: unknown[]): Promise<string> {
  try {
    const call: unknown = Reflect.get(registry, method);
    if (typeof call !== "function") throw new Error(`There is no method ${method}.`);
    await Reflect.apply(call, registry, args);
    return "";
  } catch (error) {
    if (!isStoreError(error)) return `${method} threw ${String(error)}`;
    if (error.code === "internal") return `${method}: ${error.message} (${String(error.cause)})`;
    const isLong = error.message.length > 1_000 || JSON.stringify(error.context).length > 10_000;
    const isRaw = /\p{Cc}/u.test(error.message) || !error.message.isWellFormed();
    return isLong || isRaw ? `${method} has a message of ${JSON.stringify(error.message)}` : "";
  }
}

describe.each(dialects)("hostile arguments on %s", (dialect) => {
  test("are refused with an error of ours, whatever they are", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry } = instance;
    const published = await publish(registry, { version: "1.0.0" });
    const open = await registry.createPackage({ namespace: "acme", name: "app", version: "2.0.0" });
    const methods = argumentsOf([published.id, open.id]);
    const call = fc.oneof(
      ...Object.entries(methods).map(([method, args]) => args.map((given) => ({ method, given }))),
    );
    await fc.assert(
      fc.asyncProperty(call, async ({ method, given }) => {
        expect(await faultOf(registry, method, given)).toBe("");
      }),
      { numRuns: rounds(dialect === "sqlite" ? 400_000 : 100_000) },
    );
    expect((await registry.verifyPackage(published.id)).problems).toEqual([]);
    expect(await registry.replay({ check: true })).toMatchObject({ differences: [] });
    await registry.verifyLog();
  });
});

test("every method of the registry is tried", async () => {
  await using instance = await openTestInstance("sqlite");
  const untried = Object.keys(instance.registry).filter((name) => !(name in argumentsOf(["x"])));
  // These take no argument, or what is tried elsewhere.
  const known = [
    "close",
    "countOpenUploads",
    "head",
    "health",
    "listBackends",
    "listRetentionClasses",
    "replay",
    "sweep",
    "verifyLog",
  ];
  expect(untried.toSorted()).toEqual(known);
});
