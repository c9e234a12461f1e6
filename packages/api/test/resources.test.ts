import { contentAddress, Digest } from "@store/identity";
import { encodeCbor } from "@store/manifest";
import fc from "fast-check";
import * as v from "valibot";
import { describe, expect, it } from "vitest";

import * as api from "../src/index.ts";

/** Objects with every mix of the optional fields. */
const record = <T extends Record<string, fc.Arbitrary<unknown>>, O extends T>(
  required: T,
  optional: Partial<O> & Record<string, fc.Arbitrary<unknown>> = {},
) =>
  fc
    .tuple(fc.record(required), fc.record(optional, { requiredKeys: [] }))
    .map(([first, second]) => ({ ...first, ...second }));

const text = fc.string();
const count = fc.nat();
const flag = fc.boolean();
const time = fc
  .date({ min: new Date(0), max: new Date("9999-12-31"), noInvalidDate: true })
  .map((date) => date.toISOString());
const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 });
const blake3 = bytes32.map((bytes) => contentAddress(Digest.of("blake3", bytes)));
const sha256 = bytes32.map((bytes) => contentAddress(Digest.of("sha256", bytes)));
const word = fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,20}$/);
const jsonObject = fc.dictionary(
  fc.string(),
  fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<api.JsonValue>,
);

const coordinates = { namespace: word, name: word, version: word };
const summary = record(
  {
    ...coordinates,
    id: text,
    status: fc.constantFrom("open" as const, "finalized" as const, "yanked" as const),
    revision: count,
    createdAt: time,
    createdBy: text,
    fileCount: count,
    sizeBytes: count,
    retentionClass: word,
  },
  {
    variant: word,
    metadataSchema: text,
    source: text,
    build: text,
    openUntil: time,
    finalizedAt: time,
    manifestDigest: blake3,
    manifestSizeBytes: count,
    yankedAt: time,
    yankReason: text,
  },
);
const file = record(
  { path: text, sizeBytes: count, executable: flag, address: blake3, sha256 },
  { mediaType: text },
);
const tag = record(
  { ...coordinates, tag: word, packageId: text, manifestDigest: blake3, setAt: time, setBy: text },
  { variant: word },
);

/** Each resource: what it may be, its codec, and the schema of what is sent. */
const resources: readonly [string, fc.Arbitrary<unknown>, Codec][] = [
  [
    "a package's summary",
    summary,
    codec(api.encodePackageSummary, api.decodePackageSummary, api.packageSummarySchema),
  ],
  [
    "a package",
    fc
      .tuple(summary, fc.option(jsonObject))
      .map(([one, metadata]) => (metadata === null ? one : { ...one, metadata })),
    codec(api.encodePackage, api.decodePackage, api.packageSchema),
  ],
  ["a file", file, codec(api.encodeFile, api.decodeFile, api.fileSchema)],
  ["a tag", tag, codec(api.encodeTag, api.decodeTag, api.tagSchema)],
  [
    "a name",
    record({ namespace: word, name: word, finalizedCount: count, updatedAt: time }),
    codec(api.encodeName, api.decodeName, api.nameSchema),
  ],
  [
    "a hold",
    record(
      { id: text, packageId: text, reason: text, placedAt: time, placedBy: text },
      { releasedAt: time, releasedBy: text },
    ),
    codec(api.encodeHold, api.decodeHold, api.holdSchema),
  ],
  [
    "a package's retention",
    record(
      { packageId: text, retentionClass: word, setAt: time, setBy: text },
      { expiresAt: time },
    ),
    codec(api.encodeRetention, api.decodeRetention, api.retentionSchema),
  ],
  [
    "a retention class",
    record({ name: word }, { durationDays: count }),
    codec(api.encodeRetentionClass, api.decodeRetentionClass, api.retentionClassSchema),
  ],
  [
    "a metadata schema",
    record({
      name: word,
      revision: count,
      digest: sha256,
      registeredAt: time,
      registeredBy: text,
      schema: jsonObject,
    }),
    codec(api.encodeSchema, api.decodeSchema, api.schemaSchema),
  ],
  [
    "an upload",
    record(
      {
        id: text,
        status: fc.constantFrom("open" as const, "complete" as const),
        offsetBytes: count,
        metadata: fc.dictionary(text, text),
        createdAt: time,
        expiresAt: time,
      },
      { sizeBytes: count, address: blake3, sha256 },
    ),
    codec(api.encodeUpload, api.decodeUpload, api.uploadSchema),
  ],
  [
    "a user",
    record(
      {
        id: text,
        username: word,
        scopes: fc.array(text),
        createdAt: time,
        createdBy: text,
        passwordChangedAt: time,
      },
      { disabledAt: time },
    ),
    codec(api.encodeUser, api.decodeUser, api.userSchema),
  ],
  [
    "a token",
    record(
      { id: text, name: text, owner: word, scopes: fc.array(text), createdAt: time },
      { expiresAt: time, lastUsedAt: time, revokedAt: time },
    ),
    codec(api.encodeToken, api.decodeToken, api.tokenSchema),
  ],
  [
    "a backend",
    record(
      {
        name: word,
        kind: text,
        use: fc.constantFrom("primary" as const, "mirror" as const, "other" as const),
        status: fc.constantFrom("ok" as const, "failed" as const),
        damagedCopies: count,
      },
      { reason: text, changedAt: time },
    ),
    codec(api.encodeBackend, api.decodeBackend, api.backendSchema),
  ],
  [
    "where an object is",
    record({
      object: record({ address: blake3, sha256, sizeBytes: count }),
      copies: fc.array(
        record(
          {
            backend: word,
            configured: flag,
            storedAt: time,
            status: fc.constantFrom("ok" as const, "missing" as const, "corrupt" as const),
            tier: fc.constantFrom("hot" as const, "archive" as const),
            restore: fc.constantFrom("none" as const, "requested" as const, "restored" as const),
          },
          { statusAt: time, restoredUntil: time },
        ),
      ),
    }),
    codec(api.encodeObjectLocations, api.decodeObjectLocations, api.objectLocationsSchema),
  ],
  [
    "how far a work on copies is",
    record(
      {
        objects: count,
        sizeBytes: count,
        changed: count,
        copied: count,
        removed: count,
        skipped: count,
        problemCount: count,
        problems: fc.array(
          record({
            address: blake3,
            backend: word,
            code: fc.constantFrom("object_corrupt" as const, "storage_unavailable" as const),
            message: text,
          }),
        ),
        total: count,
        done: flag,
        resumed: flag,
      },
      { position: blake3, startedAt: time },
    ),
    codec(api.encodeObjectWork, api.decodeObjectWork, api.objectWorkSchema),
  ],
];

interface Codec {
  /** What the value becomes on its way through JSON and the schema. */
  readonly roundTrip: (value: unknown) => unknown;
}

function codec<Value, Json>(
  encode: (value: Value) => Json,
  decode: (json: Json) => Value,
  schema: v.GenericSchema<Json>,
): Codec {
  return {
    // Each arbitrary above makes what its codec takes.
    roundTrip: (value) =>
      decode(v.parse(schema, JSON.parse(JSON.stringify(encode(value as Value))))),
  };
}

describe("what is sent and read again is what it was:", () => {
  it.each(resources)("%s", (_, arbitrary, { roundTrip }) => {
    fc.assert(
      fc.property(arbitrary, (value) => {
        const plain: unknown = JSON.parse(JSON.stringify(value));
        expect(JSON.parse(JSON.stringify(roundTrip(value)))).toEqual(plain);
      }),
      { numRuns: 50 },
    );
  });
});

describe("an event as JSON", () => {
  it("writes digests with their algorithm and other bytes in base64url", () => {
    const digest = new Uint8Array(32).fill(0xab);
    const event = api.encodeEvent({
      seq: 7,
      id: "0190",
      type: "v1.file.added",
      occurredAt: "2026-01-01T00:00:00.000Z",
      actor: "local:ada",
      subject: "acme/app@1.0.0",
      payload: encodeCbor({
        size: 3,
        digests: { sha256: digest },
        metadata: Uint8Array.of(251, 255),
      }),
      payloadSha256: digest,
    });
    expect(event.payload).toEqual({
      size: 3,
      digests: { sha256: `sha256:${"ab".repeat(32)}` },
      metadata: "-_8",
    });
    expect(event.payload_sha256).toBe(`sha256:${"ab".repeat(32)}`);
    expect(v.is(api.eventSchema, event)).toBe(true);
  });
});

it("keeps every member of a JSON object, whatever its name", () => {
  const metadata: unknown = JSON.parse('{"constructor":1,"prototype":2,"__proto__":3}');
  const coordinates = { namespace: "acme", name: "app", version: "1" };
  const parsed = v.parse(api.createPackageSchema, { ...coordinates, metadata });
  expect(JSON.stringify(parsed.metadata)).toBe(JSON.stringify(metadata));
  for (const wrong of [null, [], "text"]) {
    expect(v.is(api.createPackageSchema, { ...coordinates, metadata: wrong })).toBe(false);
  }
});
