import { parseContentAddress } from "@store/identity";
import fc from "fast-check";
import { expect, test } from "vitest";
import { s3Failure } from "../src/lib/requests/failure.ts";
import { Layout, newStagedId, newWriter, partsOfId } from "../src/lib/layout.ts";
import { orphanId, orphanOf } from "../src/lib/staging/orphans.ts";
import {
  firstPartBytes,
  leastPartBytesAt,
  MOST_COPIED_BYTES,
  MOST_PARTS,
  parallelAt,
  partBytesAt,
} from "../src/lib/staging/part-sizes.ts";
import { pieceChain, type PieceEntry } from "../src/lib/staging/piece-chain.ts";
import { retrievalOf } from "../src/lib/stat.ts";
import { addressWith, MIB } from "./lib/bytes.ts";

const TIB = 1024 ** 4;

/** How many parts an object is cut into, and the largest of them. */
function cut(sizeBytes: number, firstBytes: number): { parts: number; largest: number } {
  let [parts, largest, left] = [0, 0, sizeBytes];
  for (; left > 0; parts++) {
    const bytes = Math.min(partBytesAt(parts, firstBytes), left);
    largest = Math.max(largest, bytes);
    left -= bytes;
  }
  return { parts, largest };
}

test("any object up to 5 TiB fits in 10,000 parts that S3 takes", () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.integer({ min: 5, max: 32 }),
      fc.boolean(),
      (share, firstMib, isKnown) => {
        // Sizes of every magnitude, the largest among them.
        const sizeBytes = Math.round((5 * TIB) ** share);
        const firstBytes = firstPartBytes(firstMib * MIB, isKnown ? sizeBytes : undefined);
        const { parts, largest } = cut(sizeBytes, firstBytes);
        expect(parts).toBeLessThanOrEqual(MOST_PARTS);
        expect(largest).toBeLessThanOrEqual(MOST_COPIED_BYTES);
      },
    ),
    {
      examples: [
        [1, 5, false],
        [1, 5, true],
        [1, 32, false],
      ],
    },
  );
});

test("pieces of the least size fit in 10,000 parts too, and parts are whole MiB", () => {
  let sizeBytes = 0;
  for (let index = 0; index < MOST_PARTS; index++) {
    const least = leastPartBytesAt(index, 5 * MIB);
    expect(least).toBeLessThanOrEqual(partBytesAt(index, 5 * MIB));
    expect(partBytesAt(index, 5 * MIB) % MIB).toBe(0);
    sizeBytes += least;
  }
  expect(sizeBytes).toBeGreaterThan(5 * TIB);
});

test("the parts of one upload that are in memory have 64 MiB together", () => {
  for (let mib = 5; mib <= 32; mib++) {
    const bytes = mib * MIB;
    expect((parallelAt(bytes, 64) + 1) * bytes).toBeLessThanOrEqual(64 * MIB);
  }
});

const writer = (generation: number, start: number) => ({ ...newWriter(generation, start) });

function piece(by: PieceEntry["writer"], offset: number, sizeBytes: number): PieceEntry {
  return { key: `${by.generation}/${offset}`, writer: by, offset, sizeBytes };
}

test("staged bytes are what stands from the first on without a gap", () => {
  const one = writer(1, 0);
  const chain = pieceChain([piece(one, 0, 8), piece(one, 16, 8), piece(one, 8, 4)]);
  expect(chain.sizeBytes).toBe(12);
  expect(chain.pieces.map(({ offset }) => offset)).toEqual([0, 8]);
});

test("what an earlier writer puts behind the point where a later one went on is void", () => {
  const [one, two] = [writer(1, 0), writer(2, 8)];
  const late = [piece(one, 8, 100), piece(one, 108, 100)];
  const chain = pieceChain([...late, piece(one, 0, 8), piece(two, 8, 5)]);
  expect(chain.pieces.map(({ key }) => key)).toEqual(["1/0", "2/8"]);
  expect(pieceChain([piece(one, 0, 8), ...late, piece(two, 8, 0)]).sizeBytes).toBe(8);
});

test("a late piece that begins before that point and reaches beyond it is void too", () => {
  const [one, two] = [writer(1, 0), writer(2, 9)];
  const late = [piece(one, 0, 8), piece(one, 8, 1), piece(one, 8, 8), piece(one, 16, 8)];
  const chain = pieceChain([...late, piece(two, 8, 7), piece(two, 15, 7)]);
  expect(chain.pieces.map(({ key }) => key)).toEqual(["1/0", "2/8", "2/15"]);
  expect(pieceChain([...late, piece(two, 9, 0)]).sizeBytes).toBe(9);
});

test("a joined piece takes the place of the small ones that it holds", () => {
  const [one, two] = [writer(1, 0), writer(2, 10)];
  const small = [piece(one, 0, 8), piece(one, 8, 1), piece(one, 9, 1), piece(two, 10, 1)];
  expect(pieceChain(small).sizeBytes).toBe(11);
  const joined = pieceChain([...small, piece(two, 8, 6), piece(two, 14, 6)]);
  expect(joined.pieces.map(({ key }) => key)).toEqual(["1/0", "2/8", "2/14"]);
  expect(joined.sizeBytes).toBe(20);
});

test("bytes are final only by the mark of the last writer", () => {
  const [one, two] = [writer(1, 0), writer(2, 8)];
  const mark: PieceEntry = { key: "f", writer: one, offset: undefined, sizeBytes: 0 };
  expect(pieceChain([piece(one, 0, 8), mark]).isFinal).toBe(true);
  expect(pieceChain([piece(one, 0, 8), mark, piece(two, 8, 0)]).isFinal).toBe(false);
});

test("every key that is made is read as what it is, and no other", () => {
  const layout = new Layout("a/b");
  const address = addressWith("abcd");
  const id = newStagedId({ lease: "lease-1", claim: address, storageClass: "GLACIER_IR" });
  expect(partsOfId(id)).toEqual({ lease: "lease-1", claim: address, storageClass: "GLACIER_IR" });
  expect(layout.object(address)).toBe(`a/b/blake3/ab/cd/${address.slice(7)}`);
  expect(layout.addressOf(layout.object(address))).toBe(address);
  const by = newWriter(3, 17);
  const named = { id, writer: by };
  expect(layout.stagingKey(layout.piece(id, by, 5, 9))).toEqual({ ...named, offset: 5 });
  expect(layout.stagingKey(layout.finalMark(id, by))).toEqual({ ...named, offset: undefined });
  expect(layout.uploadKey(layout.upload(address, id))).toEqual({ id, address });
  expect(orphanOf(orphanId(address, "2~a/b+c="))).toEqual({ address, uploadId: "2~a/b+c=" });
  const foreign = ["", "a/b/", "a/b/blake3/ab/cd/x", "blake3/ab/cd/ef", `a/b/staging/${id}`];
  for (const key of [...foreign, `${layout.piece(id, by, 5, 9)}/x`, `${layout.object(address)}/`]) {
    expect(layout.addressOf(key)).toBeUndefined();
    expect(layout.stagingKey(key)).toBeUndefined();
    expect(layout.uploadKey(key)).toBeUndefined();
  }
  const longest = newStagedId({
    lease: "a".repeat(64),
    claim: parseContentAddress(address),
    storageClass: "A".repeat(32),
  });
  expect(new Layout("p".repeat(255)).piece(longest, by, 0, 0).length).toBeLessThan(1024);
});

test("an archive's header says how far a restore is", () => {
  expect(retrievalOf(undefined)).toEqual({ tier: "archive", restore: "none" });
  const requested = 'ongoing-request="true"';
  expect(retrievalOf(requested)).toEqual({ tier: "archive", restore: "requested" });
  const until = "Fri, 21 Dec 2029 00:00:00 GMT";
  expect(retrievalOf(`ongoing-request="false", expiry-date="${until}"`)).toEqual({
    tier: "archive",
    restore: "restored",
    restoredUntil: "2029-12-21T00:00:00.000Z",
  });
});

test("failures keep what the store said, but its name, to themselves", () => {
  const refusal = (name: string, httpStatusCode: number) =>
    Object.assign(new Error("The key AKIASECRET signed wrongly"), {
      name,
      Code: name,
      StringToSign: "AWS4-HMAC AKIASECRET",
      $metadata: { httpStatusCode, requestId: "R1" },
    });
  const expected = [
    ["SignatureDoesNotMatch", 403, "permission_denied"],
    ["AccessDenied", 403, "permission_denied"],
    ["InvalidObjectState", 403, "restore_required"],
    ["NoSuchKey", 404, "object_not_found"],
    ["NoSuchBucket", 404, "storage_unavailable"],
    ["SlowDown", 503, "storage_unavailable"],
    ["QuotaExceeded", 403, "storage_full"],
    ["InsufficientStorage", 507, "storage_full"],
    ["Whatever", 418, "storage_unavailable"],
  ] as const;
  for (const [name, status, code] of expected) {
    const failure = s3Failure(refusal(name, status), "do it", "x");
    expect(failure.code).toBe(code);
    expect(failure.message).toContain(`${name}, status ${status}, request R1`);
    const shown = JSON.stringify([failure, failure.message, failure.cause, String(failure.cause)]);
    expect(shown).not.toContain("AKIASECRET");
  }
});

test.each([
  ["NoSuchBucket", 404, "There is no such bucket"],
  ["AuthorizationHeaderMalformed", 400, "Check the region"],
  ["InvalidAccessKeyId", 403, "does not know it"],
  ["SignatureDoesNotMatch", 403, "Check the secret access key"],
])("%s says what to look at", (name, httpStatusCode, remedy) => {
  const refusal = Object.assign(new Error(name), { name, $metadata: { httpStatusCode } });
  expect(s3Failure(refusal, "open the bucket").message).toContain(remedy);
});
