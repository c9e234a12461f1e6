import { StoreError } from "./error.ts";
import { assertName, assertNamespace } from "./names.ts";
import { quote, shorten } from "./quote.ts";

/**
 * Which `namespace/name` a scope is about: `*` (all), `acme/*` (a namespace), `acme-*\/*`
 * (namespaces that begin so), `acme/app-*` (names that begin so), `acme/app` (one). The names that
 * one pattern matches lie next to each other in the order of lists, so that a list is a range.
 */
export interface NamePattern {
  readonly namespace: NamePart;
  readonly name: NamePart;
}

/** A text, or with `isPrefix` everything that begins with it. */
export interface NamePart {
  readonly text: string;
  readonly isPrefix: boolean;
}

const everything: NamePart = { text: "", isPrefix: true };

/**
 * Parses a pattern of `namespace/name`.
 *
 * @throws {StoreError} `invalid_argument`, or `invalid_name` where a part breaks the rule of names
 */
export function parseNamePattern(text: string): NamePattern {
  if (text === "*") return { namespace: everything, name: everything };
  const parts = text.length <= 300 ? text.split("/") : [];
  const [namespace, name] = parts;
  if (namespace === undefined || name === undefined || parts.length > 2) throw refused(text);
  const pattern = { namespace: parsePart(namespace), name: parsePart(name) };
  if (pattern.namespace.isPrefix && name !== "*") throw refused(text);
  if (pattern.namespace.text !== "") assertNamespace(pattern.namespace.text);
  if (pattern.name.text !== "") assertName(pattern.name.text);
  if (namespace === "" || name === "") throw refused(text);
  return pattern;
}

/** Writes a pattern as {@link parseNamePattern} reads it. */
export function formatNamePattern({ namespace, name }: NamePattern): string {
  if (namespace.isPrefix && namespace.text === "") return "*";
  return `${formatPart(namespace)}/${formatPart(name)}`;
}

/** Whether a pattern covers a `namespace/name`. */
export function matchesNamePattern(
  pattern: NamePattern,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): boolean {
  return matchesPart(pattern.namespace, namespace) && matchesPart(pattern.name, name);
}

/** Whether everything that `inner` covers is covered by `outer` too. */
export function coversNamePattern(outer: NamePattern, inner: NamePattern): boolean {
  return coversPart(outer.namespace, inner.namespace) && coversPart(outer.name, inner.name);
}

function parsePart(text: string): NamePart {
  return text.endsWith("*")
    ? { text: text.slice(0, -1), isPrefix: true }
    : { text, isPrefix: false };
}

function formatPart({ text, isPrefix }: NamePart): string {
  return isPrefix ? `${text}*` : text;
}

function matchesPart(part: NamePart, text: string): boolean {
  return part.isPrefix ? text.startsWith(part.text) : text === part.text;
}

function coversPart(outer: NamePart, inner: NamePart): boolean {
  if (inner.isPrefix && !outer.isPrefix) return false;
  return matchesPart(outer, inner.text);
}

function refused(text: string): StoreError {
  return new StoreError(
    "invalid_argument",
    `${quote(text)} is no pattern of names; write *, acme/*, acme-*/*, acme/app-* or ` +
      "acme/app.",
    { context: { actual: shorten(text) } },
  );
}
