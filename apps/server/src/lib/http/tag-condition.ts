import { StoreError } from "@store/identity";
import type { SetTagOptions } from "@store/registry";

import type { Exchange } from "./handler.ts";

/**
 * What must be true of a tag before it changes (RFC 9110 §13.1): `If-Match` names the package that
 * it targets, `If-None-Match: *` says that there is none. A tag's entity tag is its package's id.
 *
 * @throws {StoreError} `invalid_argument` where the condition is none of a tag
 */
export function tagCondition({
  header,
}: Pick<Exchange, "header">): Pick<SetTagOptions, "expected"> {
  const match = header("if-match");
  const noneMatch = header("if-none-match");
  if (match !== undefined && noneMatch !== undefined) {
    throw notACondition("If-Match and If-None-Match exclude each other; send one of them.", match);
  }
  if (noneMatch !== undefined) {
    if (noneMatch.trim() === "*") return { expected: null };
    throw notACondition("If-None-Match must be * here: there must be no such tag.", noneMatch);
  }
  if (match === undefined) return {};
  const expected = /^"([^"]+)"$/.exec(match.trim())?.[1];
  if (expected !== undefined) return { expected };
  throw notACondition("If-Match must be one entity tag here: the package's id, quoted.", match);
}

function notACondition(message: string, actual: string): StoreError {
  return new StoreError("invalid_argument", message, { context: { actual: actual.slice(0, 200) } });
}
