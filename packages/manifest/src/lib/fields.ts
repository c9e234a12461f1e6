import { isStoreError, parseContentAddress } from "@store/identity";
import type { ContentAddress } from "@store/identity";
import * as v from "valibot";
import { scanJson } from "./json-scan.ts";
import { canonicalText, decodeUtf8 } from "./json.ts";
import { manifestLimits } from "./manifest.ts";

/** A text that one of the assertions of `@store/identity` accepts. */
export function assertedText(assertion: (value: string) => unknown) {
  return v.pipe(
    v.string("must be a text"),
    v.rawCheck(({ dataset, addIssue }) => {
      if (!dataset.typed) return;
      try {
        assertion(dataset.value);
      } catch (error) {
        if (!isStoreError(error)) throw error;
        addIssue({ message: error.message });
      }
    }),
  );
}

/** `2026-01-02T03:04:05.678Z`: RFC 3339 UTC with milliseconds, of a day that exists. */
export const timestampSchema = v.pipe(
  v.string("must be a text"),
  v.check(isTimestamp, "must be a time in UTC with milliseconds, like 2026-01-02T03:04:05.678Z"),
);

function isTimestamp(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(text)) return false;
  const date = new Date(text);
  // A day such as February 30 is either no date or another day.
  return !Number.isNaN(date.getTime()) && date.toISOString() === text;
}

/** The names of RFC 6838 §4.2, then parameters as in RFC 9110 §5.6.6, without needless space. */
const mediaTypePattern =
  /^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}\/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}(?: ?; ?[A-Za-z0-9!#$%&'*+.^_`|~-]+=(?:[A-Za-z0-9!#$%&'*+.^_`|~-]+|"(?:[ !#-[\]-~]|\\[ -~])*"))*$/;

/** Whether a text is a media type such as `text/plain; charset=utf-8`, short enough to keep. */
export function isMediaType(text: string): boolean {
  return text.length <= manifestLimits.maxMediaTypeBytes && mediaTypePattern.test(text);
}

export const mediaTypeSchema = v.pipe(
  v.string("must be a text"),
  v.check(
    isMediaType,
    `must be a media type such as text/plain, of at most ${manifestLimits.maxMediaTypeBytes} bytes`,
  ),
);

/** A logical role or class: the pattern of names. */
export const roleSchema = v.pipe(
  v.string("must be a text"),
  v.regex(/^[a-z0-9][a-z0-9._-]{0,127}$/, "must match ^[a-z0-9][a-z0-9._-]{0,127}$"),
);

export const holdIdSchema = v.pipe(
  v.string("must be a text"),
  v.regex(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/, "must match ^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$"),
);

const textEncoder = new TextEncoder();

/** Free text: not empty, bounded, and of the CBOR value model. */
export const freeTextSchema = v.pipe(
  v.string("must be a text"),
  v.check(
    (text) => text.isWellFormed() && !text.includes("\0"),
    "must hold neither a lone surrogate nor U+0000",
  ),
  v.check(
    (text) =>
      text.length > 0 &&
      text.length <= manifestLimits.maxTextBytes &&
      textEncoder.encode(text).length <= manifestLimits.maxTextBytes,
    `must have 1 to ${manifestLimits.maxTextBytes} bytes`,
  ),
);

export const sizeSchema = v.pipe(
  v.number("must be an integer"),
  v.check(
    (size) => Number.isSafeInteger(size) && size >= 0 && !Object.is(size, -0),
    "must be an integer from 0 to 2^53 − 1",
  ),
);

export const digestSchema = v.pipe(
  v.instance(Uint8Array, "must be bytes"),
  v.check((bytes) => bytes.length === 32, "must have 32 bytes"),
);

export const contentAddressSchema = v.pipe(
  assertedText(parseContentAddress),
  v.custom<ContentAddress>((value) => typeof value === "string"),
);

export const metadataSchema = v.pipe(
  v.instance(Uint8Array, "must be bytes"),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    const message = metadataFault(dataset.value);
    if (message !== undefined) addIssue({ message });
  }),
  // What was checked must be what is encoded, later perhaps than the caller changes its bytes.
  v.transform((bytes) => new Uint8Array(bytes)),
);

/** Why bytes are no metadata: a JSON object in canonical form, within its limits. */
function metadataFault(bytes: Uint8Array): string | undefined {
  try {
    const text = decodeUtf8(bytes, manifestLimits.maxMetadataBytes);
    scanJson(text, manifestLimits.maxMetadataDepth);
    const value: unknown = JSON.parse(text);
    if (value === null || typeof value !== "object" || Array.isArray(value)) {
      return "must be a JSON object";
    }
    // What a parser passes over, such as a key given twice, is not there any more.
    if (canonicalText(value) === text) return undefined;
  } catch (error) {
    if (isStoreError(error)) return error.message;
    if (!(error instanceof SyntaxError)) throw error;
  }
  return "must be canonical JSON (RFC 8785); use canonicalizeJson";
}
