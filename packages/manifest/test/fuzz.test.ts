import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { isStoreError } from "@store/identity";
import {
  decodeCbor,
  decodeManifest,
  encodeManifest,
  fromJcs,
  manifestSchema,
  parseJson,
  readManifestSummary,
  toJcs,
} from "@store/manifest";
import { account, rounds } from "@store/testing/prove";
import { manifestOf } from "./manifest-of.ts";
import { chanceOf, mutateBytes, mutateTree, randomBytes, type Chance } from "./mutations.ts";
import { oracleDecode, oracleEncode } from "./oracle.ts";

/** What `read` makes of an input; any error that is not Store's own is a crash. */
async function outcomeOf<T>(read: () => T | Promise<T>): Promise<{ value: T } | undefined> {
  try {
    return { value: await read() };
  } catch (error) {
    if (isStoreError(error) && error.code !== "internal") return undefined;
    throw error;
  }
}

type Verdict = "accepted" | "refused" | { readonly fault: string };

/** One kind of input, and how it is judged. */
interface Fuzzing {
  readonly kind: string;
  readonly count: number;
  readonly inputOf: (chance: Chance) => Uint8Array;
  readonly check: (input: Uint8Array) => Promise<Verdict>;
}

/** What all of a kind must come to: had none been accepted, nothing would be proven. */
const sound = "some accepted, some refused, none wrongly";

async function fuzz({ kind, count, inputOf, check }: Fuzzing): Promise<string> {
  let accepted = 0;
  for (let seed = 0; seed < count; seed += 1) {
    const input = inputOf(chanceOf(seed));
    const verdict = await check(input);
    if (typeof verdict === "object") {
      return `seed ${seed}: ${verdict.fault}: ${Buffer.from(input).toString("hex")}`;
    }
    if (verdict === "accepted") accepted += 1;
  }
  account(`fuzzing of manifests: ${kind}`, { inputs: count, accepted });
  return accepted > 0 && accepted < count ? sound : `${accepted} of ${count} accepted`;
}

const isSame = (left: Uint8Array, right: Uint8Array): boolean => Buffer.compare(left, right) === 0;

async function checkCbor(input: Uint8Array): Promise<Verdict> {
  const ours = await outcomeOf(() => decodeCbor(input));
  const theirs = oracleDecode(input);
  if (!ours !== !theirs) return { fault: `accepted by ${ours ? "us" : "the oracle"} alone` };
  if (!ours) return "refused";
  return isSame(oracleEncode(ours.value), input) ? "accepted" : { fault: "not canonical" };
}

async function checkManifest(input: Uint8Array): Promise<Verdict> {
  const ours = await outcomeOf(() => decodeManifest(input));
  const theirs = oracleDecode(input);
  const isValid = theirs !== undefined && v.is(manifestSchema, theirs.value);
  if ((ours !== undefined) !== isValid) {
    return { fault: `accepted ${ours ? "in pieces" : "at once"} alone` };
  }
  if (!ours) {
    await outcomeOf(() => readManifestSummary(input));
    return "refused";
  }
  const summary = await outcomeOf(() => readManifestSummary(input));
  if (!summary) return { fault: "not summarized" };
  const isCanonical =
    isSame(oracleEncode(ours.value), input) && isSame(await encodeManifest(ours.value), input);
  return isCanonical ? "accepted" : { fault: "not canonical" };
}

async function checkProjection(input: Uint8Array): Promise<Verdict> {
  const ours = await outcomeOf(() => fromJcs(input));
  if (!ours) return "refused";
  return isSame(await toJcs(ours.value), input) ? "accepted" : { fault: "not canonical" };
}

describe("no input crashes a decoder, and only canonical ones are accepted", async () => {
  const manifest = manifestOf(4);
  const manifestBytes = await encodeManifest(manifest);
  const projection = await toJcs(manifest);
  const projected = parseJson(projection);
  const sources = [
    manifestBytes,
    oracleEncode([1, [2, "three", { four: null, "\ufeff": true }], new Uint8Array(30), -5]),
    oracleEncode({ a: 2 ** 53 - 1, b: { c: [], d: {} }, "": "\u{1f600}", aa: -(2 ** 32) }),
  ];

  const mutateProjection = (chance: Chance): Uint8Array =>
    chance.below(2) === 0
      ? mutateBytes(projection, chance)
      : new TextEncoder().encode(JSON.stringify(mutateTree(projected, chance)));

  test.each<Fuzzing>([
    {
      kind: "random bytes",
      count: rounds(70_000),
      inputOf: randomBytes,
      check: checkCbor,
    },
    {
      kind: "mutations of canonical CBOR",
      count: rounds(50_000),
      inputOf: (chance) => mutateBytes(chance.pick(sources), chance),
      check: checkCbor,
    },
    {
      kind: "mutations of a manifest's bytes",
      count: rounds(30_000),
      inputOf: (chance) => mutateBytes(manifestBytes, chance),
      check: checkManifest,
    },
    {
      kind: "mutations of a manifest's fields",
      count: rounds(30_000),
      inputOf: (chance) => oracleEncode(mutateTree(manifest, chance)),
      check: checkManifest,
    },
    {
      kind: "mutations of a projection",
      count: rounds(20_000),
      inputOf: mutateProjection,
      check: checkProjection,
    },
  ])("$count $kind", async (fuzzing) => {
    expect(await fuzz(fuzzing)).toBe(sound);
  });
});
