import fc from "fast-check";
import type { CborValue } from "@store/manifest";

/** Text of the value model: any code points but U+0000 and surrogates, U+FEFF in front often. */
export const modelText: fc.Arbitrary<string> = fc
  .tuple(fc.constantFrom("", "", "\uFEFF"), fc.string({ unit: "binary", maxLength: 40 }))
  .map(([mark, text]) => mark + text.replaceAll("\0", "0"));

const integer = fc.oneof(
  fc.maxSafeInteger(),
  fc.integer({ min: -300, max: 300 }),
  fc.constantFrom(23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1),
  fc.constantFrom(-24, -25, -256, -257, -65_536, -65_537, -(2 ** 32), -(2 ** 32) - 1),
  fc.constant(-(2 ** 53) + 1),
);

/** Any value of the model, maps with keys of all lengths and `__proto__` among them. */
export const modelValue: fc.Arbitrary<CborValue> = fc.letrec<{ value: CborValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom(null, true, false),
    integer,
    modelText,
    fc.uint8Array({ maxLength: 300 }),
    fc.array(tie("value"), { maxLength: 30 }),
    fc
      .array(fc.tuple(fc.oneof(modelText, fc.constant("__proto__")), tie("value")), {
        maxLength: 30,
      })
      .map(mapOf),
  ),
})).value;

/** A map as `JSON.parse` makes it: `__proto__` is a key like any other. */
function mapOf(entries: readonly [string, CborValue][]): CborValue {
  const map: { [key: string]: CborValue } = {};
  for (const [key, value] of entries) {
    Object.defineProperty(map, key, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return map;
}
