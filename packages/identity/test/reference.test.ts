import { describe, expect, test } from "vitest";
import * as fc from "fast-check";
import {
  Digest,
  contentAddress,
  digestAlgorithms,
  formatCoordinates,
  formatReference,
  isStoreError,
  parseReference,
} from "../src/index.ts";
import type { Reference, ReferenceSelector } from "../src/index.ts";
import { refusalOf } from "./refusal.ts";
import vectors from "../vectors/references.json" with { type: "json" };

const proving = process.env["STORE_PROVE"] === "1";
const fuzzRuns = proving ? 200_000 : 20_000;

const name = fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,127}$/);
const version = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._+-]{0,127}$/);
const variant = fc.option(name, { nil: undefined });
const address = fc
  .tuple(fc.constantFrom(...digestAlgorithms), fc.uint8Array({ minLength: 32, maxLength: 32 }))
  .map(([algorithm, bytes]) => contentAddress(Digest.of(algorithm, bytes)));

const selector: fc.Arbitrary<ReferenceSelector> = fc.oneof(
  fc.constant({ kind: "latest" } as const),
  fc
    .tuple(version, variant)
    .map(([text, of]) => withVariant({ kind: "version", version: text } as const, of)),
  fc.tuple(name, variant).map(([text, of]) => withVariant({ kind: "tag", tag: text } as const, of)),
  address.map((text) => ({ kind: "digest", address: text }) as const),
);
const reference: fc.Arbitrary<Reference> = fc.record({ namespace: name, name, selector });

describe("a reference", () => {
  test.each(vectors.valid)("$text is read and written back", (expected) => {
    const { text, ...parts } = expected;
    const parsed = parseReference(text);
    expect(parsed).toEqual(parts);
    expect(formatReference(parsed)).toBe(text);
  });

  test.each(vectors.invalid)("is refused: $why: $text", ({ text }) => {
    expect(() => parseReference(text)).toThrow(
      expect.objectContaining({ code: "invalid_reference" }),
    );
  });

  test("survives being written and read", () => {
    fc.assert(
      fc.property(reference, (value) => {
        expect(parseReference(formatReference(value))).toEqual(value);
      }),
    );
  });

  test("has one text only, whatever is put in", () => {
    const pieces = fc.constantFrom("a", "A", "0", "/", "@", ":", ".", "-", "+", "_", "%", " ", "é");
    const noise = fc.oneof(
      fc.array(pieces, { maxLength: 12 }).map((parts) => parts.join("")),
      fc.string({ unit: "binary", maxLength: 40 }),
      mutated(reference.map(formatReference)),
    );
    let accepted = 0;
    fc.assert(
      fc.property(noise, (text) => {
        const parsed = parsedOrRefused(text);
        if (parsed === undefined) return true;
        accepted += 1;
        return formatReference(parsed) === text;
      }),
      { numRuns: fuzzRuns },
    );
    expect(accepted).toBeGreaterThan(0);
  });

  test("that is refused names its broken part as the cause", () => {
    expect(() => parseReference("acme/App@1.0.0")).toThrow(
      expect.objectContaining({
        message:
          'The reference "acme/App@1.0.0" is not acceptable: The name "App" is not acceptable; ' +
          "begin with a letter or digit and use only lowercase letters, digits, '.', '_' and '-'.",
        context: { reference: "acme/App@1.0.0" },
        cause: expect.objectContaining({ code: "invalid_name" }),
      }),
    );
  });

  test("of megabytes is refused unread, with a short message", () => {
    const error = refusalOf(() => parseReference(`acme/${"a".repeat(5_000_000)}`));
    expect(error.code).toBe("invalid_reference");
    expect(error.message.length).toBeLessThan(300);
  });

  test("is refused where it is no text", () => {
    for (const value of [undefined, null, 5, ["acme/app"]]) {
      expect(() => Reflect.apply(parseReference, undefined, [value])).toThrow(
        expect.objectContaining({ code: "invalid_reference" }),
      );
    }
  });
});

describe("formatting", () => {
  test("writes latest with a variant as the tag latest, which means the same", () => {
    const text = formatReference({
      namespace: "acme",
      name: "app",
      selector: { kind: "latest", variant: "linux-amd64" },
    });
    expect(text).toBe("acme/app:latest/linux-amd64");
  });

  test("refuses a part that would be read as something else", () => {
    const parts = { namespace: "acme", name: "app" };
    const injected: ReferenceSelector[] = [
      { kind: "version", version: "1.0.0/linux" },
      { kind: "tag", tag: "stable/linux" },
      { kind: "tag", tag: "stable", variant: "" },
    ];
    for (const given of injected) {
      expect(() => formatReference({ ...parts, selector: given })).toThrow(
        expect.objectContaining({ code: "invalid_reference" }),
      );
    }
    expect(() =>
      formatReference({ namespace: "a/b", name: "c", selector: { kind: "latest" } }),
    ).toThrow(expect.objectContaining({ code: "invalid_reference" }));
  });

  test("gives coordinates as the reference of exactly that package", () => {
    const coordinates = { namespace: "acme", name: "app", version: "1.2.0" };
    expect(formatCoordinates(coordinates)).toBe("acme/app@1.2.0");
    const text = formatCoordinates({ ...coordinates, variant: "linux-amd64" });
    expect(text).toBe("acme/app@1.2.0/linux-amd64");
    expect(parseReference(text).selector).toEqual({
      kind: "version",
      version: "1.2.0",
      variant: "linux-amd64",
    });
  });
});

function parsedOrRefused(text: string): Reference | undefined {
  try {
    return parseReference(text);
  } catch (error) {
    if (isStoreError(error, "invalid_reference")) return undefined;
    throw error;
  }
}

function withVariant<T extends object>(
  given: T,
  of: string | undefined,
): T | (T & { variant: string }) {
  return of === undefined ? given : { ...given, variant: of };
}

/** Texts with one character replaced, removed or put in. */
function mutated(texts: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc
    .tuple(texts, fc.nat(), fc.nat(1), fc.string({ unit: "binary", maxLength: 1 }))
    .map(([text, at, removed, put]) => {
      const index = at % text.length;
      return text.slice(0, index) + put + text.slice(index + removed);
    });
}
