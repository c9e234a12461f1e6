import {
  assertName,
  assertNamespace,
  assertVariant,
  assertVersion,
  StoreError,
  type PackageCoordinates,
} from "@store/identity";
import { canonicalizeJson, isMediaType } from "@store/manifest";

import { limits } from "./limits.ts";
import type { JsonObject } from "./types.ts";

/** What callers give, held to its rules before any command is decided. */

/** Throws `invalid_name` for the part that breaks its rule. */
export function assertCoordinates(coordinates: PackageCoordinates): void {
  assertNamespace(coordinates.namespace);
  assertName(coordinates.name);
  assertVersion(coordinates.version);
  if (coordinates.variant !== undefined) assertVariant(coordinates.variant);
}

/** Throws `invalid_argument` or `limit_exceeded` for a text that no event should carry. */
export function assertText(what: string, text: string | undefined, maxBytes: number): void {
  if (text === undefined) return;
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

/** Throws `invalid_argument` unless the text is a media type as RFC 9110 section 8.3.1 has it. */
export function assertMediaType(mediaType: string | undefined): void {
  if (mediaType === undefined || isMediaType(mediaType)) return;
  throw new StoreError(
    "invalid_argument",
    `"${mediaType.slice(0, 100)}" is no media type. Give one such as text/plain; charset=utf-8.`,
    { context: { actual: mediaType.slice(0, 100) } },
  );
}

/** The canonical JSON of metadata; `invalid_metadata` unless it is an object. */
export function canonicalMetadata(metadata: JsonObject): Uint8Array {
  assertObject("metadata", metadata, "invalid_metadata");
  return canonicalizeJson(metadata, {
    maxDepth: limits.jsonDepth,
    maxBytes: limits.metadataBytes,
  });
}

/** The canonical JSON of a metadata schema; `invalid_schema` unless it is an object. */
export function canonicalSchema(schema: JsonObject): Uint8Array {
  assertObject("metadata schema", schema, "invalid_schema");
  return canonicalizeJson(schema, { maxDepth: limits.jsonDepth, maxBytes: limits.schemaBytes });
}

function assertObject(
  what: string,
  value: unknown,
  code: "invalid_metadata" | "invalid_schema",
): void {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return;
  throw new StoreError(code, `The ${what} must be a JSON object.`);
}
