import {
  assertName,
  assertNamespace,
  assertTag,
  assertVariant,
  assertVersion,
  digestOf,
  parseContentAddress,
  formatReference,
  isStoreError,
  parseReference,
  StoreError,
  type PackageCoordinates,
  type Reference,
} from "@store/identity";
import { canonicalizeJson, isMediaType } from "@store/manifest";
import type { ByteRange } from "@store/storage";

import { limits } from "./limits.ts";
import type { ExpectedContent, FileOptions, JsonObject, PackageFilter } from "./types.ts";

/**
 * What callers give, held to its rules before anything is read or decided. They may write plain
 * JavaScript, so that types are checked too: what is none is `invalid_argument`.
 */

const idPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** Whether a text has the form of the ids that the registry gives; nothing else is looked up. */
export function isId(what: string, value: unknown): value is string {
  return idPattern.test(textOf(what, value));
}

/** The value, which must be a text; what it says is checked by others. */
export function textOf(what: string, value: unknown): string {
  if (typeof value === "string") return value;
  throw wrongType(what, "a text", value);
}

/** Throws `invalid_argument` unless the value is a number or left out; its range is for others. */
export function assertNumber(what: string, value: unknown): void {
  if (value === undefined || typeof value === "number") return;
  throw wrongType(what, "a number", value);
}

/** The value, which must be an object: `input`, a target, a filter. */
export function objectOf<T extends object>(what: string, value: T): T {
  const given: unknown = value;
  if (typeof given === "object" && given !== null) return value;
  throw wrongType(what, "an object", value);
}

/** Options that may be left out. */
export function optionsOf<T extends object>(value: T | undefined, what = "options"): Partial<T> {
  return value === undefined ? {} : objectOf(what, value);
}

/** The value, which must be an array; what is in it is checked by others. */
export function listOf<T>(what: string, value: readonly T[]): readonly T[] {
  const given: unknown = value;
  if (Array.isArray(given)) return value;
  throw wrongType(what, "an array", value);
}

/** Throws `invalid_argument` unless the value is a truth value or left out. */
export function assertFlag(what: string, value: unknown): void {
  if (value === undefined || typeof value === "boolean") return;
  throw wrongType(what, "true or false", value);
}

/** Throws `invalid_argument` unless the value is an AbortSignal or left out. */
export function assertSignal(value: unknown): void {
  if (value === undefined || value instanceof AbortSignal) return;
  throw wrongType("signal", "an AbortSignal", value);
}

/** Throws `invalid_argument` unless the value is a function or left out. */
export function assertCallback(what: string, value: unknown): void {
  if (value === undefined || typeof value === "function") return;
  throw wrongType(what, "a function", value);
}

/** Throws `invalid_argument` unless the value is a Set or left out. */
export function assertSet(what: string, value: unknown): void {
  if (value === undefined || value instanceof Set) return;
  throw wrongType(what, "a Set", value);
}

/** Throws `invalid_argument` unless the value has the shape of a byte range. */
export function assertRange(value: ByteRange): void {
  const { start, end } = objectOf("range", value);
  assertNumber("start of the range", start);
  assertNumber("end of the range", end);
}

/** Throws `invalid_argument` unless the value can be iterated for chunks. */
export function assertSource(value: unknown): void {
  if (typeof value === "object" && value !== null && Symbol.asyncIterator in value) {
    if (typeof value[Symbol.asyncIterator] === "function") return;
  }
  throw wrongType("source", "an async iterable of Uint8Array, such as a stream", value);
}

/** Throws `invalid_argument` unless the value is a whole number within the bounds. */
export function assertInteger(what: string, value: unknown, least: number, most: number): void {
  if (Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= most) return;
  throw new StoreError(
    "invalid_argument",
    `The ${what} must be a whole number from ${least} to ${most}, not ${shown(value)}.`,
    { context: { limit: most, actual: shown(value) } },
  );
}

/** Throws `invalid_name` for the part that breaks its rule. */
export function assertCoordinates(coordinates: PackageCoordinates): void {
  assertFullName(coordinates);
  assertVersion(coordinates.version);
  if (coordinates.variant !== undefined) assertVariant(coordinates.variant);
}

/** Throws `invalid_name` unless both parts of `namespace/name` follow their rule. */
export function assertFullName(value: { readonly namespace: string; readonly name: string }): void {
  assertNamespace(value.namespace);
  assertName(value.name);
}

/** Throws `invalid_name` for the part of `namespace/name:tag` that breaks its rule. */
export function assertTagName(value: {
  readonly namespace: string;
  readonly name: string;
  readonly tag: string;
}): void {
  assertFullName(value);
  assertTag(value.tag);
}

/** Throws `invalid_argument` or `invalid_digest` unless content can be claimed so. */
export function assertExpectedContent(expect: ExpectedContent | undefined): void {
  const { address, sha256, sizeBytes } = optionsOf(expect, "expect");
  if (address !== undefined) parseContentAddress(address);
  if (sha256 !== undefined && digestOf(parseContentAddress(sha256)).algorithm !== "sha256") {
    throw new StoreError(
      "invalid_argument",
      `expect.sha256 is ${sha256}; give the address by SHA-256, "sha256:<64 hex>".`,
      { context: { actual: sha256 } },
    );
  }
  if (sizeBytes !== undefined) {
    assertInteger("expect.sizeBytes", sizeBytes, 0, Number.MAX_SAFE_INTEGER);
  }
}

const statuses: readonly unknown[] = ["open", "finalized", "yanked", "expired"];

/** Throws `invalid_name` or `invalid_argument` unless packages can be found by the filter. */
export function assertPackageFilter(filter: PackageFilter): void {
  const { namespace, name, version, variant, status, tag, q } = filter;
  if (namespace !== undefined) assertNamespace(namespace);
  if (name !== undefined) assertName(name);
  if (version !== undefined) assertVersion(version);
  if (variant !== undefined) assertVariant(variant);
  if (tag !== undefined) assertTag(tag);
  if (status !== undefined && !statuses.includes(status)) {
    throw wrongType("status", statuses.join(" or "), status);
  }
  if (q !== undefined) assertSearch(q);
  const narrowed = version ?? variant ?? tag;
  const isRooted = name === undefined ? narrowed === undefined : namespace !== undefined;
  if (isRooted) return;
  throw new StoreError(
    "invalid_argument",
    "Packages are listed by namespace, then name: give the namespace with a name, and both with " +
      "a version, a variant or a tag.",
  );
}

const searchPattern = /^[A-Za-z0-9._-]{1,128}$/;

function assertSearch(q: unknown): void {
  if (searchPattern.test(textOf("search text", q))) return;
  throw new StoreError(
    "invalid_argument",
    `The search text must be 1 to ${limits.searchLength} letters, digits, ".", "_" or "-" of ASCII, ` +
      `as names are made of, not ${shown(q)}.`,
    { context: { limit: limits.searchLength, actual: shown(q) } },
  );
}

const selectorKinds: readonly unknown[] = ["latest", "version", "tag", "digest"];

/** The reference that a caller gave as a text or in parts; throws `invalid_reference`. */
export function referenceOf(value: Reference | string): Reference {
  if (typeof value === "string") return parseReference(value);
  const { namespace, name, selector } = objectOf("reference", value);
  const parts: unknown[] = Object.values(objectOf("selector of the reference", selector));
  for (const part of [namespace, name, selector.kind, ...parts]) {
    if (part !== undefined) textOf("part of the reference", part);
  }
  if (!selectorKinds.includes(selector.kind)) {
    throw wrongType("kind of the selector", selectorKinds.join(" or "), selector.kind);
  }
  // Written and read again, so that only what the grammar can say gets through.
  return parseReference(formatReference(value));
}

/** Throws `invalid_argument` or `limit_exceeded` for a text that no event should carry. */
export function assertText(what: string, value: unknown, maxBytes: number): void {
  const text = textOf(what, value);
  if (text === "" || !text.isWellFormed() || /\p{Cc}/u.test(text)) {
    throw new StoreError(
      "invalid_argument",
      `The ${what} must not be empty nor hold control characters or lone surrogates.`,
    );
  }
  const sizeBytes = Buffer.byteLength(text);
  if (sizeBytes <= maxBytes) return;
  throw new StoreError("limit_exceeded", `The ${what} has more than ${maxBytes} bytes.`, {
    context: { limit: maxBytes, actual: sizeBytes },
  });
}

/** Like {@link assertText}, for a text that may be left out. */
export function assertOptionalText(what: string, value: unknown, maxBytes: number): void {
  if (value !== undefined) assertText(what, value, maxBytes);
}

/** Throws `invalid_argument` unless what is said of a file beside its bytes is acceptable. */
export function assertFileOptions(options: FileOptions): void {
  assertFlag("executable", options.executable);
  assertFlag("replace", options.replace);
  if (options.mediaType === undefined) return;
  const mediaType = textOf("media type", options.mediaType);
  // RFC 9110 section 8.3.1.
  if (isMediaType(mediaType)) return;
  throw new StoreError(
    "invalid_argument",
    `${shown(mediaType)} is no media type. Give one such as text/plain; charset=utf-8.`,
    { context: { actual: shown(mediaType) } },
  );
}

/** Throws `invalid_argument` unless the actor is an opaque id of 1 to 256 bytes. */
export function assertActor(actor: unknown): void {
  try {
    assertText("actor", actor, limits.actorBytes);
  } catch (cause) {
    if (!isStoreError(cause)) throw cause;
    throw new StoreError(
      "invalid_argument",
      `An actor is an opaque id of 1 to ${limits.actorBytes} bytes without control characters.`,
      { cause, context: { limit: limits.actorBytes, actual: shown(actor) } },
    );
  }
}

/** The canonical JSON of metadata; `invalid_metadata` unless it is an object. */
export function canonicalMetadata(metadata: JsonObject): Uint8Array {
  assertJsonObject("metadata", metadata, "invalid_metadata");
  return canonicalizeJson(metadata, {
    maxDepth: limits.jsonDepth,
    maxBytes: limits.metadataBytes,
  });
}

/** The canonical JSON of a metadata schema; `invalid_schema` unless it is an object. */
export function canonicalSchema(schema: JsonObject): Uint8Array {
  assertJsonObject("metadata schema", schema, "invalid_schema");
  return canonicalizeJson(schema, { maxDepth: limits.jsonDepth, maxBytes: limits.schemaBytes });
}

function assertJsonObject(
  what: string,
  value: unknown,
  code: "invalid_metadata" | "invalid_schema",
): void {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return;
  throw new StoreError(code, `The ${what} must be a JSON object, not ${shown(value)}.`);
}

/** A value as a message shows it: a short text quoted, of everything else only the type. */
export function shown(value: unknown): string {
  if (typeof value === "string") return escaped(JSON.stringify(value.slice(0, 80)));
  if (typeof value === "number" || value === undefined || value === null) return String(value);
  return Array.isArray(value) ? "an array" : `a value of type ${typeof value}`;
}

/** JSON leaves the control characters above ASCII as they are. */
function escaped(json: string): string {
  return json.replace(/\p{Cc}/gu, (character) => `\\u00${character.charCodeAt(0).toString(16)}`);
}

/** The refusal of a value that is not what it must be. */
export function wrongType(what: string, wanted: string, value: unknown): StoreError {
  return new StoreError("invalid_argument", `The ${what} must be ${wanted}, not ${shown(value)}.`, {
    context: { actual: shown(value) },
  });
}
