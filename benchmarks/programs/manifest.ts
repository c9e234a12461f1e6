import { createHash } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";

import { contentAddress, Digest } from "@store/identity";
import {
  canonicalizeJson,
  compareBytewise,
  decodeManifest,
  encodeManifest,
  fromJcs,
  type Manifest,
  type ManifestFile,
  toJcs,
} from "@store/manifest";
import { decode, encode } from "cborg";

import { longestHoldMs } from "../lib/loop-watch.ts";
import type { ProgramContext } from "../lib/program.ts";
import type { Report } from "../lib/report.ts";
import { interleave, secondsOf } from "../lib/rounds.ts";

export const title = "manifests to canonical CBOR and JSON and back, checked whole";

export async function run({ report, quick }: ProgramContext): Promise<void> {
  await measure(report, { files: 1_000, repeats: quick ? 5 : 50, rounds: quick ? 3 : 7 });
  await measure(report, { files: quick ? 20_000 : 100_000, repeats: 1, rounds: quick ? 3 : 7 });
  report.note(
    "The floors check nothing, and hold the event loop from beginning to end: cborg takes or gives " +
      "any value, unsorted and unvalidated. Each of ours also holds the manifest to its schema, " +
      "order and canonical form, and the JSON ones write or read both forms.",
  );
  report.note("A hold is the longest time that the event loop did not turn during one call.");
}

interface Size {
  readonly files: number;
  /** Calls a round; 1,000 files take too little time to be measured alone. */
  readonly repeats: number;
  readonly rounds: number;
}

async function measure(report: Report, { files, repeats, rounds }: Size): Promise<void> {
  const manifest = manifestOf(files);
  const cbor = await encodeManifest(manifest);
  const jcs = await toJcs(cbor);
  const text = new TextDecoder().decode(jcs);
  const json: unknown = JSON.parse(text);
  const encoder = new TextEncoder();

  const timed = (work: () => unknown) => async () => {
    let spent = 0;
    let longest = 0;
    for (let repeat = 0; repeat < repeats; repeat += 1) {
      const hold = await longestHoldMs(async () => {
        spent += await secondsOf(async () => work());
      });
      longest = Math.max(longest, hold);
      await nextTurn();
    }
    return { ms: (spent * 1000) / repeats, holdMs: longest };
  };
  const figures = await interleave(
    {
      encode: timed(() => encodeManifest(manifest)),
      bareEncode: timed(() => encode(manifest)),
      decode: timed(() => decodeManifest(cbor)),
      bareDecode: timed(() => decode(cbor)),
      toJcs: timed(() => toJcs(cbor)),
      stringify: timed(() => encoder.encode(JSON.stringify(json))),
      fromJcs: timed(() => fromJcs(jcs)),
      parse: timed(() => JSON.parse(new TextDecoder().decode(jcs))),
    },
    { rounds, warmups: 2 },
  );

  const count = files.toLocaleString("en-GB");
  type Name = keyof typeof figures;
  const add = (name: string, ours: Name, floor: string, bare: Name) => {
    report.add({
      name: `${name}, ${count} files`,
      unit: "ms",
      ours: figures[ours].map(({ ms }) => ms),
      floors: { [floor]: figures[bare].map(({ ms }) => ms) },
    });
    report.add({
      name: `longest hold of ${name}, ${count} files`,
      unit: "ms",
      ours: figures[ours].map(({ holdMs }) => holdMs),
      floors: {},
      aim: { neverAbove: 50 },
    });
  };
  add("encodeManifest", "encode", "cborg encode alone", "bareEncode");
  add("decodeManifest", "decode", "cborg decode alone", "bareDecode");
  add("toJcs", "toJcs", "JSON.stringify alone", "stringify");
  add("fromJcs", "fromJcs", "JSON.parse alone", "parse");
}

const storedAt = "2026-01-02T03:04:05.678Z";

function manifestOf(fileCount: number): Manifest {
  const files = Array.from({ length: fileCount }, (_, index) => fileOf(index)).sort((a, b) =>
    compareBytewise(a.path, b.path),
  );
  const receipts = files.map(({ digests }) => ({
    content_address: contentAddress(Digest.of("blake3", digests.blake3)),
    backend: "primary",
    stored_at: storedAt,
  }));
  return {
    manifest_version: 1,
    package: {
      namespace: "acme",
      name: "app",
      version: "1.2.0",
      variant: "linux-amd64",
      created_at: "2026-01-01T00:00:00.000Z",
      metadata: canonicalizeJson({ licence: "Apache-2.0", ratio: 0.25, tags: ["a", "b"] }),
    },
    files,
    storage_receipts: receipts.sort((a, b) => (a.content_address < b.content_address ? -1 : 1)),
    retention_summary: { class: "standard", expires_at: "2026-04-01T00:00:00.000Z", holds: [] },
    provenance: { actor: "user-1", source: "https://example.org/acme/app", build: "1042" },
  };
}

function fileOf(index: number): ManifestFile {
  const sha256 = new Uint8Array(createHash("sha256").update(`file ${index}`).digest());
  return {
    path: `lib/package-${index % 97}/dist/module-${index.toString(36).padStart(6, "0")}.js`,
    size: (index * 7919) % 1_000_003,
    media_type: "text/javascript",
    ...(index % 10 === 0 ? { executable: true as const } : {}),
    // Any 32 bytes that differ from file to file will do for the other digest.
    digests: { blake3: sha256.toReversed(), sha256 },
  };
}
