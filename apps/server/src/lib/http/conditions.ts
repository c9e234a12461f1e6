import { StoreError } from "@store/identity";

/** Reads a request header by its lowercase name. */
export type HeaderReader = (name: string) => string | undefined;

/**
 * Holds a request's conditions against the entity tag of what is there (RFC 9110 §13.2.2). Dates
 * are no conditions here, since nothing has a `Last-Modified`.
 *
 * @throws {StoreError} `precondition_failed` where `If-Match` names other tags
 */
export function checkConditions(header: HeaderReader, entityTag: string): "send" | "not_modified" {
  const ifMatch = header("if-match");
  if (ifMatch !== undefined && !names(ifMatch, entityTag, "strong")) {
    throw new StoreError(
      "precondition_failed",
      `If-Match does not name ${entityTag}, which is there now. Ask for it without a condition.`,
      { context: { expected: ifMatch.slice(0, 200), actual: entityTag } },
    );
  }
  const ifNoneMatch = header("if-none-match");
  const isKnown = ifNoneMatch !== undefined && names(ifNoneMatch, entityTag, "weak");
  return isKnown ? "not_modified" : "send";
}

/** Whether `Range` counts: without `If-Range`, or where that is this very tag (RFC 9110 §13.1.5). */
export function rangeCounts(header: HeaderReader, entityTag: string): boolean {
  const ifRange = header("if-range");
  return ifRange === undefined || ifRange.trim() === entityTag;
}

/** One entity tag and what separates it from the next (RFC 9110 §8.8.3). */
const listedTag = /[\s,]*(W\/)?("[\x21\x23-\x7e\x80-\xff]*")\s*(?=,|$)/y;

/** Whether a list of entity tags names one; what is no list names none. */
function names(list: string, entityTag: string, comparison: "strong" | "weak"): boolean {
  if (list.trim() === "*") return true;
  listedTag.lastIndex = 0;
  for (let found = listedTag.exec(list); found !== null; found = listedTag.exec(list)) {
    const isWeak = found[1] !== undefined;
    if (found[2] === entityTag && !(isWeak && comparison === "strong")) return true;
  }
  return false;
}
