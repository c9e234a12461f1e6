import fc from "fast-check";

/** What of JSON Schema the document of the API uses. */
export interface JsonSchema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
}

/** Texts that mean something to the instance, by the name of what they stand for. */
export type Known = (name: string) => readonly string[];

const hostileTexts = [
  "",
  " ",
  "\0",
  "a\0b",
  "..",
  "../../etc/passwd",
  "..%2f..%2f",
  "a/../b",
  "C:\\windows",
  "__proto__",
  "constructor",
  "toString",
  "null",
  "undefined",
  "NaN",
  "-1",
  "0",
  "1e999",
  "9007199254740993",
  "99999999999999999999999999",
  "' OR 1=1 --",
  "%",
  "%%",
  "_",
  "*",
  "acme/*",
  "{}",
  "[]",
  "${7*7}",
  "<script>alert(1)</script>",
  "\r\nset-cookie: a=b",
  "\u202e\u200b\ufeff",
  "e\u0301",
  "\u{1f600}",
  "ﬁ",
  "İ",
  "blake3:",
  "blake3:00",
  `blake3:${"0".repeat(64)}`,
  `sha256:${"f".repeat(64)}`,
  "01900000-0000-7000-8000-000000000000",
  "00000000-0000-0000-0000-000000000000",
  "9999-99-99T99:99:99.999Z",
  "x".repeat(129),
  "x".repeat(1_025),
  "é".repeat(500),
];

/** Any text at all, some of it chosen to hurt. */
export const wildText: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...hostileTexts) },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 40 }) },
  { weight: 1, arbitrary: fc.string({ unit: "grapheme", maxLength: 40 }) },
  { weight: 1, arbitrary: fc.string({ maxLength: 300 }) },
);

/** Any JSON at all. */
export const wildJson: fc.Arbitrary<unknown> = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }),
  fc.constantFrom<unknown>(null, true, 0, -1, 1e308, -0.5, "", [], {}, [[[[]]]], 2 ** 53),
  wildText,
  fc.dictionary(wildText, fc.jsonValue({ maxDepth: 1 }), { maxKeys: 5 }),
);

/** Values that a schema accepts, of what the instance knows where there is such a thing. */
export function valuesOf(schema: JsonSchema, known: Known, name = ""): fc.Arbitrary<unknown> {
  const texts = known(name);
  const isText = schema.type === "string" && schema.enum === undefined;
  if (texts.length === 0 || !isText) return plainValuesOf(schema, known, name);
  return fc.oneof(
    { weight: 5, arbitrary: fc.nat().map((at) => known(name)[at % known(name).length]) },
    { weight: 1, arbitrary: plainValuesOf(schema, known, name) },
  );
}

function plainValuesOf(schema: JsonSchema, known: Known, name: string): fc.Arbitrary<unknown> {
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (schema.anyOf !== undefined) {
    return fc.oneof(...schema.anyOf.map((one) => valuesOf(one, known, name)));
  }
  switch (schema.type) {
    case "string":
      return textsOf(schema);
    case "integer":
    case "number":
      return numbersOf(schema);
    case "boolean":
      return fc.boolean();
    case "null":
      return fc.constant(null);
    case "array":
      return fc.array(valuesOf(schema.items ?? {}, known, name), { maxLength: 4 });
    case "object":
      return objectsOf(schema, known);
    default:
      return fc.jsonValue({ maxDepth: 2 });
  }
}

function textsOf({ pattern, minLength = 0, maxLength = 60 }: JsonSchema): fc.Arbitrary<string> {
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern));
  return fc.string({ minLength, maxLength });
}

function numbersOf({ minimum = -10, maximum = 1_000_000 }: JsonSchema): fc.Arbitrary<number> {
  return fc.integer({ min: Math.max(minimum, -(2 ** 31)), max: Math.min(maximum, 2 ** 31) });
}

function objectsOf(schema: JsonSchema, known: Known): fc.Arbitrary<unknown> {
  const { properties, required = [], additionalProperties } = schema;
  if (properties === undefined) {
    const values = typeof additionalProperties === "object" ? additionalProperties : {};
    return fc.dictionary(fc.string({ maxLength: 10 }), valuesOf(values, known), { maxKeys: 4 });
  }
  const members = Object.entries(properties).map(([name, property]) => [
    name,
    valuesOf(property, known, name),
  ]);
  const record: Record<string, fc.Arbitrary<unknown>> = Object.fromEntries(members);
  return fc.record<Record<string, unknown>>(record, { requiredKeys: [...required] });
}

/** A value with one thing about it changed: a member more, less, or another in its place. */
export function nearly(value: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.tuple(value, fc.nat(), wildText, wildJson).map(([good, at, name, wild]) => {
    if (typeof good === "string") {
      const cut = at % (good.length + 1);
      return good.slice(0, cut) + name.slice(0, 3) + good.slice(cut + (at % 2));
    }
    if (typeof good !== "object" || good === null || Array.isArray(good)) return wild;
    const entries = Object.entries(good);
    if (at % 3 === 0 || entries.length === 0) {
      return Object.fromEntries([...entries, [name, wild]]);
    }
    const which = at % entries.length;
    if (at % 3 === 1) return Object.fromEntries(entries.toSpliced(which, 1));
    return Object.fromEntries(entries.with(which, [entries[which]?.[0] ?? name, wild]));
  });
}
