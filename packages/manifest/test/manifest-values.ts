import fc from "fast-check";
import { findPathConflict } from "@store/identity";
import { canonicalizeJson, compareBytewise } from "@store/manifest";
import type { Manifest, ManifestFile } from "@store/manifest";
import { modelText } from "./cbor-values.ts";
import { receiptsOf } from "./manifest-of.ts";

const name = fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,20}$/);
const version = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._+-]{0,20}$/);
const freeText = modelText.filter((text) => text.length > 0);

const time = fc
  .date({
    min: new Date("0000-01-01T00:00:00.000Z"),
    max: new Date("9999-12-31T23:59:59.999Z"),
    noInvalidDate: true,
  })
  .map((date) => date.toISOString());

// Few segments, so that beginnings are shared; some outside the BMP and some just below it.
const segment = fc.constantFrom(
  "a",
  "b",
  "a-b",
  "a.b",
  "A",
  "é",
  "\uff21",
  "\u{1f600}",
  "\u{10000}",
);

const paths = fc
  .array(fc.array(segment, { minLength: 1, maxLength: 4 }), { maxLength: 12 })
  .map((candidates) => {
    const accepted: string[] = [];
    for (const path of candidates.map((segments) => segments.join("/"))) {
      if (!findPathConflict([...accepted, path])) accepted.push(path);
    }
    return accepted.toSorted(compareBytewise);
  });

const mediaType = fc.constantFrom(
  "text/plain",
  "text/html; charset=utf-8",
  "application/vnd.oci.image.layer.v1.tar+gzip",
  'multipart/mixed; boundary="a b;c"',
);

const digest = fc.uint8Array({ minLength: 32, maxLength: 32 });

/** An object of the pool: files of one object agree in size and digests. */
const pool = fc.array(
  fc.record({
    size: fc.oneof(fc.maxSafeNat(), fc.nat(300)),
    digests: fc.record({ blake3: digest, sha256: digest }, { noNullPrototype: true }),
  }),
  { minLength: 1, maxLength: 8 },
);

const metadata = fc
  .dictionary(fc.string({ unit: "binary" }), fc.jsonValue({ stringUnit: "binary", maxDepth: 3 }))
  .filter((value) => JSON.stringify(value).isWellFormed())
  .map((value) => canonicalizeJson(value));

/** Any valid manifest of a few files. */
export const validManifest: fc.Arbitrary<Manifest> = fc
  .record({
    described: fc.record(
      { namespace: name, name, version, created_at: time, variant: name, metadata },
      { noNullPrototype: true, requiredKeys: ["namespace", "name", "version", "created_at"] },
    ),
    paths,
    pool,
    extras: fc.infiniteStream(
      fc.record(
        { media_type: mediaType, executable: fc.constant(true as const), object: fc.nat(7) },
        { noNullPrototype: true, requiredKeys: ["object"] },
      ),
    ),
    backends: fc.uniqueArray(name, { minLength: 1, maxLength: 3 }),
    retention: fc.record(
      {
        class: name,
        holds: fc.uniqueArray(
          version.filter((id) => !id.includes("+")),
          { maxLength: 4 },
        ),
        expires_at: time,
      },
      { noNullPrototype: true, requiredKeys: ["class", "holds"] },
    ),
    provenance: fc.record(
      { actor: freeText, source: freeText, build: freeText },
      { noNullPrototype: true, requiredKeys: ["actor"] },
    ),
  })
  .map((parts) => {
    const files: ManifestFile[] = [];
    for (const path of parts.paths) {
      const { object, ...extra } = parts.extras.next().value;
      const chosen = parts.pool[object % parts.pool.length];
      if (chosen) files.push({ path, ...extra, ...chosen });
    }
    return {
      manifest_version: 1,
      package: parts.described,
      files,
      storage_receipts: receiptsOf(files, parts.backends),
      retention_summary: { ...parts.retention, holds: parts.retention.holds.toSorted() },
      provenance: parts.provenance,
    };
  });
