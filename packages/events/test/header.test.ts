import { isStoreError, storeErrorCodes } from "@store/identity";
import { decodeCbor, encodeCbor } from "@store/manifest";
import { readCddl } from "@store/testing/cddl";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { decodeHeader, encodeHeader, leafHash, type EventHeader } from "../src/index.ts";
import vectors from "../vectors/event-header.json" with { type: "json" };

const { valid, invalid } = vectors;
const [first] = valid;
if (first === undefined) throw new Error("There are no valid vectors.");

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

function generalEncoding(header: EventHeader): Uint8Array {
  const { logId, occurredAt, payloadSha256, payloadSize, ...rest } = header;
  const named = { log_id: logId, occurred_at: occurredAt, payload_size: payloadSize };
  return encodeCbor({ ...rest, ...named, payload_sha256: payloadSha256 }, { maxBytes: 4_096 });
}

/** The hex of the bytes, or the code of the error; what cannot be encoded has one code here. */
function outcome(encode: () => Uint8Array): string {
  try {
    return hex(encode());
  } catch (error) {
    if (!isStoreError(error)) throw error;
    return error.code === "invalid_cbor" ? "invalid_event" : error.code;
  }
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

  test("is written like the general codec writes it", () => {
    const text = (maxLength: number) => fc.string({ unit: "binary", maxLength });
    const long = fc.nat(1_100).map((length) => "a".repeat(length));
    const integer = fc.oneof(
      fc.nat({ max: Number.MAX_SAFE_INTEGER }),
      fc.constantFrom(0, 23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1),
    );
    const header: fc.Arbitrary<EventHeader> = fc.record({
      logId: text(40),
      seq: integer,
      id: text(40),
      type: text(300),
      occurredAt: text(30),
      actor: fc.oneof(text(300), long),
      subject: fc.oneof(text(1_100), long),
      payloadSha256: fc.uint8Array({ maxLength: 300 }),
      payloadSize: integer,
    });
    fc.assert(
      fc.property(header, (fields) => {
        expect(outcome(() => encodeHeader(fields))).toBe(outcome(() => generalEncoding(fields)));
      }),
      { numRuns: 3_000 },
    );
  });

  test.each([-1, 0.5, Number.NaN, 2 ** 53])("is not written with the number %d", (seq) => {
    const header = headerOf(first.header);
    for (const fields of [{ seq }, { payloadSize: seq }]) {
      expect(outcome(() => encodeHeader({ ...header, ...fields }))).toBe("invalid_event");
    }
  });

  test("accepts a Buffer and gives its digest as a copy", () => {
    const bytes = Buffer.from(first.bytes, "hex");
    const header = decodeHeader(bytes);
    bytes.fill(0);
    expect(header).toEqual(headerOf(first.header));
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
