import { owner } from "./buckets.ts";
import type { Bucket, StoredObject } from "./bucket.ts";
import { bucketOf, type S3Answer, type S3Call } from "./call.ts";
import { invalidArgument } from "./errors.ts";
import type { S3Request } from "./request.ts";
import { restoreState } from "./restores.ts";
import { compareUtf8 } from "./sorted-keys.ts";
import { uriEncodePath } from "./uri.ts";
import { element, group, xmlDocument } from "./xml.ts";

const mostKeys = 1000;

interface Page {
  readonly objects: readonly StoredObject[];
  readonly prefixes: readonly string[];
  /** Where the next page goes on, if there is more. */
  readonly next: string | undefined;
}

/** ListObjectsV2. */
export function listObjects(call: S3Call): S3Answer {
  const { request, service } = call;
  const bucket = bucketOf(call);
  const prefix = request.query.get("prefix") ?? "";
  const delimiter = request.query.get("delimiter") ?? "";
  const token = request.query.get("continuation-token");
  const startAfter = request.query.get("start-after") ?? "";
  const maxKeys = readLimit(request, "max-keys", mostKeys);
  const encode = readEncoding(request);
  const after = token === undefined ? startAfter : readToken(token);
  const page = readPage(bucket, { prefix, delimiter, after, limit: maxKeys });
  const withOwner = request.query.get("fetch-owner") === "true";
  const children = [
    element("Name", bucket.name),
    element("Prefix", encode(prefix)),
    ...(delimiter === "" ? [] : [element("Delimiter", encode(delimiter))]),
    ...(startAfter === "" ? [] : [element("StartAfter", encode(startAfter))]),
    ...(token === undefined ? [] : [element("ContinuationToken", token)]),
    ...(page.next === undefined ? [] : [element("NextContinuationToken", writeToken(page.next))]),
    element("KeyCount", page.objects.length + page.prefixes.length),
    element("MaxKeys", maxKeys),
    ...(request.query.has("encoding-type") ? [element("EncodingType", "url")] : []),
    element("IsTruncated", page.next !== undefined),
    ...page.objects.map((object) => contents(object, encode, withOwner, service.now())),
    ...page.prefixes.map((common) => group("CommonPrefixes", [element("Prefix", encode(common))])),
  ];
  return { status: 200, body: xmlDocument("ListBucketResult", children) };
}

function contents(
  object: StoredObject,
  encode: (text: string) => string,
  withOwner: boolean,
  now: number,
): string {
  const { checksum } = object;
  return group("Contents", [
    element("Key", encode(object.key)),
    element("LastModified", new Date(object.lastModified).toISOString()),
    element("ETag", `"${object.etag}"`),
    ...(checksum === undefined
      ? []
      : [element("ChecksumAlgorithm", checksum.algorithm), element("ChecksumType", checksum.type)]),
    element("Size", object.size),
    ...(withOwner ? [owner()] : []),
    element("StorageClass", object.storageClass),
    ...(restoreState(object, now) === "ongoing"
      ? [group("RestoreStatus", [element("IsRestoreInProgress", true)])]
      : []),
  ]);
}

interface PageWanted {
  readonly prefix: string;
  readonly delimiter: string;
  /** Keys and common prefixes up to this one have been listed. */
  readonly after: string;
  readonly limit: number;
}

function readPage(bucket: Bucket, wanted: PageWanted): Page {
  const { prefix, delimiter, after, limit } = wanted;
  const objects: StoredObject[] = [];
  const prefixes: string[] = [];
  let next = after;
  let position = bucket.keys.position(compareUtf8(after, prefix) < 0 ? prefix : after);
  while (true) {
    const key = bucket.keys.at(position);
    if (key === undefined || !key.startsWith(prefix)) return { objects, prefixes, next: undefined };
    const common = commonPrefix(key, prefix, delimiter);
    // Also what lies below a common prefix that the last page ended with.
    const listed = common === undefined ? key === after : after.startsWith(common);
    if (!listed) {
      if (objects.length + prefixes.length === limit) {
        return { objects, prefixes, next: limit === 0 ? undefined : next };
      }
      const object = bucket.get(key);
      if (common !== undefined) prefixes.push(common);
      else if (object !== undefined) objects.push(object);
      next = common ?? key;
    }
    position = common === undefined ? position + 1 : endOfPrefix(bucket, position, common);
  }
}

function commonPrefix(key: string, prefix: string, delimiter: string): string | undefined {
  if (delimiter === "") return undefined;
  const at = key.indexOf(delimiter, prefix.length);
  return at === -1 ? undefined : key.slice(0, at + delimiter.length);
}

function endOfPrefix(bucket: Bucket, position: number, common: string): number {
  // U+10FFFF ends the order, so nearly all keys with the prefix are below.
  let end = Math.max(position + 1, bucket.keys.position(`${common}\u{10ffff}`));
  while (bucket.keys.at(end)?.startsWith(common) === true) end += 1;
  return end;
}

/** A number of entries; more than S3 gives is cut. Throws `S3Error` `InvalidArgument`. */
export function readLimit(request: S3Request, name: string, most: number): number {
  const text = request.query.get(name);
  if (text === undefined || text === "") return most;
  if (!/^\d{1,10}$/u.test(text)) {
    throw invalidArgument(`Provided ${name} not an integer or within integer range`, name, text);
  }
  return Math.min(Number(text), most);
}

/** How keys are written in lists. Throws `S3Error` `InvalidArgument`. */
export function readEncoding(request: S3Request): (text: string) => string {
  const type = request.query.get("encoding-type");
  if (type === undefined) return (text) => text;
  if (type !== "url") {
    throw invalidArgument("Invalid Encoding Method specified in Request", "encoding-type", type);
  }
  return (text) => uriEncodePath(text).replaceAll("%20", "+");
}

function writeToken(after: string): string {
  return Buffer.from(`1 ${after}`).toString("base64");
}

function readToken(token: string): string {
  const text = Buffer.from(token, "base64").toString("utf8");
  if (text.startsWith("1 ") && writeToken(text.slice(2)) === token) return text.slice(2);
  throw invalidArgument("The continuation token provided is incorrect", "continuation-token");
}
