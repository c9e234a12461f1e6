import * as v from "valibot";

/** What the fields of payloads are made of. */

export const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
export const revision = v.pipe(v.number(), v.safeInteger(), v.minValue(1));
export const id = v.pipe(
  v.string(),
  v.regex(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
);
export const name = v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9._-]{0,127}$/));
export const version = v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9._+-]{0,127}$/));
export const time = v.pipe(v.string(), v.regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/));
export const schemaReference = v.pipe(
  v.string(),
  v.regex(/^[a-z0-9][a-z0-9._-]{0,127}@[1-9][0-9]{0,15}$/),
);

/** A text of 1 to `maxBytes` bytes in UTF-8. */
export const text = (maxBytes: number) =>
  v.pipe(
    v.string(),
    // A UTF-16 unit takes at most three bytes, so that short texts need no count.
    v.check((value) => value !== "" && isWithin(value, maxBytes)),
  );

function isWithin(value: string, maxBytes: number): boolean {
  return value.length * 3 <= maxBytes || Buffer.byteLength(value) <= maxBytes;
}

export const bytes = (leastBytes: number, mostBytes: number) =>
  v.pipe(
    v.custom<Uint8Array>((value) => value instanceof Uint8Array),
    v.check(({ byteLength }) => byteLength >= leastBytes && byteLength <= mostBytes),
  );
export const digest = bytes(32, 32);
