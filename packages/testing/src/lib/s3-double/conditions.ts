import type { Bucket, PendingWrite, StoredObject } from "./bucket.ts";
import { S3Error } from "./errors.ts";
import { header, type S3Request } from "./request.ts";

/** Conditions of a write: the key must be free, or hold this object. */
export interface WriteConditions {
  readonly absent: boolean;
  readonly etag: string | undefined;
}

/** Reads `If-None-Match` and `If-Match` of a write. Throws `S3Error`. */
export function readWriteConditions(request: S3Request): WriteConditions {
  const noneMatch = header(request, "if-none-match");
  const match = header(request, "if-match");
  if (noneMatch !== undefined && (noneMatch !== "*" || match !== undefined)) {
    throw new S3Error("NotImplemented", { Header: "If-None-Match" });
  }
  return { absent: noneMatch === "*", etag: match === undefined ? undefined : unquote(match) };
}

/** Compares a write's conditions with what stands at the key now. Throws `S3Error`. */
export function checkWriteConditions(
  conditions: WriteConditions,
  found: StoredObject | undefined,
): void {
  if (conditions.absent && found !== undefined) throw failed("If-None-Match");
  if (conditions.etag === undefined) return;
  if (found === undefined) throw new S3Error("NoSuchKey");
  if (conditions.etag !== found.etag && conditions.etag !== "*") throw failed("If-Match");
}

/**
 * Runs a conditional write: the conditions are compared before it, and again in the moment in
 * which `work`'s object takes its place. Throws `S3Error`, also `ConditionalRequestConflict`
 * where the key was deleted meanwhile.
 */
export async function conditionally<T>(
  bucket: Bucket,
  request: S3Request,
  work: (recheck: () => void) => Promise<T>,
): Promise<T> {
  const conditions = readWriteConditions(request);
  const { key } = request;
  checkWriteConditions(conditions, bucket.get(key));
  const conditional = conditions.absent || conditions.etag !== undefined;
  const pending: PendingWrite = conditional ? bucket.watch(key) : { conflict: false };
  try {
    return await work(() => {
      if (pending.conflict) throw new S3Error("ConditionalRequestConflict");
      checkWriteConditions(conditions, bucket.get(key));
    });
  } finally {
    if (conditional) bucket.unwatch(key, pending);
  }
}

/** Compares a read's conditions; says whether the client has the object already (304). */
export function checkReadConditions(
  request: S3Request,
  object: StoredObject,
  prefix = "",
): "not-modified" | "read" {
  const match = header(request, `${prefix}if-match`);
  const noneMatch = header(request, `${prefix}if-none-match`);
  const modifiedSince = parseDate(header(request, `${prefix}if-modified-since`));
  const unmodifiedSince = parseDate(header(request, `${prefix}if-unmodified-since`));
  const modified = Math.floor(object.lastModified / 1000) * 1000;
  if (match !== undefined) {
    if (!matches(match, object.etag)) throw failed("If-Match");
  } else if (unmodifiedSince !== undefined && modified > unmodifiedSince) {
    throw failed("If-Unmodified-Since");
  }
  if (noneMatch !== undefined) {
    return matches(noneMatch, object.etag) ? "not-modified" : "read";
  }
  return modifiedSince !== undefined && modified <= modifiedSince ? "not-modified" : "read";
}

function parseDate(text: string | undefined): number | undefined {
  const time = Date.parse(text ?? "");
  return Number.isNaN(time) ? undefined : time;
}

function matches(list: string, etag: string): boolean {
  return list.split(",").some((each) => each.trim() === "*" || unquote(each) === etag);
}

function failed(condition: string): S3Error {
  return new S3Error("PreconditionFailed", { Condition: condition });
}

/** An entity tag without its quotation marks. */
export function unquote(etag: string): string {
  return etag.trim().replace(/^"(.*)"$/u, "$1");
}
