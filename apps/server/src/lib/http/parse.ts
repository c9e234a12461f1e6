import type { Schema } from "@store/api";
import { StoreError, type StoreErrorCode } from "@store/identity";
import * as v from "valibot";

/** Parses what a caller sent; what is refused is named, but its value never is. */
export function parseWith<S extends Schema>(
  schema: S,
  value: unknown,
  what: string,
  code: StoreErrorCode,
): v.InferOutput<S> {
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  throw new StoreError(code, `${what} is not accepted: ${describeIssue(result.issues[0])}.`);
}

function describeIssue(issue: v.BaseIssue<unknown>): string {
  const path = v.getDotPath(issue);
  const place = path === null ? "it" : `\`${path}\``;
  if (issue.received === "undefined") return `${place} is missing`;
  if (issue.expected === "never") return `${place} is unknown here`;
  // A rule of our own says itself what it asks for.
  if (issue.message.startsWith("it must")) return `${place}: ${issue.message}`;
  if (issue.expected === null) return `${place} breaks its rule`;
  return `${place} must be ${issue.expected.replace(/^Object$/, "an object")}`;
}

/** The names that a schema of an object knows. */
export function entryNames(schema: Schema | undefined): ReadonlySet<string> {
  if (schema === undefined || !("entries" in schema)) return new Set();
  return new Set(Object.keys(schema.entries as object));
}

/**
 * Reads a query. `+` is itself and no space: no value here has spaces, but versions have pluses.
 *
 * @throws {StoreError} `invalid_argument` where a name is unknown or given twice
 */
export function readQuery(
  target: string,
  known: ReadonlySet<string>,
): Readonly<Record<string, string>> {
  const start = target.indexOf("?");
  if (start === -1 || start === target.length - 1) return {};
  const query: Record<string, string> = {};
  for (const pair of target.slice(start + 1).split("&")) {
    const equals = pair.indexOf("=");
    const name = decodePart(equals === -1 ? pair : pair.slice(0, equals));
    const value = decodePart(equals === -1 ? "" : pair.slice(equals + 1));
    if (!known.has(name)) {
      const names = [...known];
      const hint = names.length === 0 ? "nothing is asked for" : `known are ${names.join(", ")}`;
      throw new StoreError("invalid_argument", `The query has an unknown name; ${hint}.`, {
        context: { actual: name.slice(0, 80), candidates: names },
      });
    }
    if (Object.hasOwn(query, name)) {
      throw new StoreError("invalid_argument", `The query has '${name}' twice; give it once.`, {
        context: { actual: name },
      });
    }
    query[name] = value;
  }
  return query;
}

/** @throws {StoreError} `invalid_argument` where it is no percent-encoded UTF-8 (RFC 3986 §2.1) */
export function decodePart(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw new StoreError(
      "invalid_argument",
      "The request's target is not percent-encoded UTF-8; encode it again.",
      { cause },
    );
  }
}
