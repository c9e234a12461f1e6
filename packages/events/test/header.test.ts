import { isStoreError, storeErrorCodes } from "@store/identity";
import { decodeCbor } from "@store/manifest";
import { readCddl } from "@store/testing/cddl";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { decodeHeader, encodeHeader, leafHash, type EventHeader } from "../src/index.ts";
import vectors from "../vectors/event-header.json" with { type: "json" };

const { valid, invalid } = vectors;

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const unhex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "hex"));

function headerOf(fields: (typeof valid)[number]["header"]): EventHeader {
  return {
    logId: fields.log_id,
    seq: fields.seq,
    id: fields.id,
    type: fields.type,
    occurredAt: fields.occurred_at,
    actor: fields.actor,
    subject: fields.subject,
    payloadSha256: unhex(fields.payload_sha256),
    payloadSize: fields.payload_size,
  };
}

describe("an event header", () => {
  test.each(valid)("is read and written byte for byte: $name", (vector) => {
    const header = headerOf(vector.header);
    expect(hex(encodeHeader(header))).toBe(vector.bytes);
    expect(decodeHeader(unhex(vector.bytes))).toEqual(header);
    expect(hex(leafHash(unhex(vector.bytes)))).toBe(vector.leaf_hash);
  });

  test.each(invalid)("is refused with $code: $name", ({ bytes, code }) => {
    let thrown: unknown;
    try {
      decodeHeader(unhex(bytes));
    } catch (error) {
      thrown = error;
    }
    if (!isStoreError(thrown)) throw new Error("The header was accepted.", { cause: thrown });
    expect(thrown.code).toBe(code);
  });

  test("that is accepted after any change of its bytes is written with the same bytes", () => {
    const seeds = valid.map((vector) => unhex(vector.bytes));
    fc.assert(
      fc.property(
        fc.constantFrom(...seeds),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 }),
        fc.nat(),
        (seed, changes, cut) => {
          const bytes = seed.slice(0, cut % 4 === 0 ? cut % seed.length : seed.length);
          for (const [at, value] of changes) bytes[at % bytes.length] = value;
          let header: EventHeader;
          try {
            header = decodeHeader(bytes);
          } catch (error) {
            if (!isStoreError(error)) throw error;
            expect(Object.keys(storeErrorCodes)).toContain(error.code);
            return;
          }
          expect(hex(encodeHeader(header))).toBe(hex(bytes));
        },
      ),
      { numRuns: 5_000 },
    );
  });

  test("accepts a Buffer and gives its digest as a copy", () => {
    const [vector] = valid;
    const bytes = Buffer.from(vector?.bytes ?? "", "hex");
    const header = decodeHeader(bytes);
    bytes.fill(0);
    expect(header).toEqual(vector && headerOf(vector.header));
  });
});

describe("event.cddl", () => {
  const judge = readCddl(new URL("../event.cddl", import.meta.url));
  const judgeHex = (bytes: string): string | undefined =>
    judge("event-header", decodeCbor(unhex(bytes)));
  /** What the comment at the head of the CDDL says that CDDL cannot say. */
  const beyondCddl = [
    /^a type of 129 bytes/,
    /^a day that|month$|^hour 24|^a leap/,
    /character$|line feed/,
  ];

  test.each(valid)("describes the valid vector: $name", ({ bytes }) => {
    expect(judgeHex(bytes)).toBeUndefined();
  });

  test("refuses the invalid vectors, but for what CDDL cannot say", () => {
    const accepted = invalid
      .filter(({ bytes, code }) => code === "invalid_event" && judgeHex(bytes) === undefined)
      .map(({ name }) => name);
    expect(accepted.filter((name) => !beyondCddl.some((rule) => rule.test(name)))).toEqual([]);
    // Each of the exceptions is one.
    for (const rule of beyondCddl) expect(accepted.some((name) => rule.test(name))).toBe(true);
  });
});
