import { readFileSync } from "node:fs";

import { isStoreError, storeErrorCodes } from "@store/identity";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { decodeHeader, encodeHeader, leafHash, type EventHeader } from "../src/index.ts";
import invalid from "./vectors/header-invalid.json" with { type: "json" };
import valid from "./vectors/header-valid.json" with { type: "json" };

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

  test("has the fields of its CDDL, in their canonical order", () => {
    const cddl = readFileSync(new URL("../src/lib/event.cddl", import.meta.url), "utf8");
    const map = /event-header = \{\n(?<fields>[^}]*)\n\}/.exec(cddl)?.groups?.fields ?? "";
    const fields = map.split("\n").map((line) => /^ +(\w+):/.exec(line)?.[1] ?? "");
    const bytes = Buffer.from(valid[0]?.bytes ?? "", "hex");
    const places = fields.map((field) => bytes.indexOf(field));
    expect(fields.toSorted()).toEqual(Object.keys(valid[0]?.header ?? {}).toSorted());
    // The last key `payload_sha256` does not begin another, nor does any key occur in a value.
    expect(places).toEqual(places.toSorted((a, b) => a - b));
  });
});
