import { owner } from "./buckets.ts";
import type { Upload, UploadedPart } from "./bucket.ts";
import { bucketOf, type S3Answer, type S3Call } from "./call.ts";
import { checksumElement } from "./checksums.ts";
import { readEncoding, readLimit } from "./list-objects.ts";
import { compareUtf8 } from "./sorted-keys.ts";
import { uploadOf } from "./uploads.ts";
import { element, group, xmlDocument } from "./xml.ts";

const mostEntries = 1000;

/** ListMultipartUploads: by key, and within a key by the time of the beginning. */
export function listUploads(call: S3Call): S3Answer {
  const { query } = call.request;
  const bucket = bucketOf(call);
  const prefix = query.get("prefix") ?? "";
  const delimiter = query.get("delimiter") ?? "";
  const keyMarker = query.get("key-marker") ?? "";
  const idMarker = query.get("upload-id-marker") ?? "";
  const limit = readLimit(call.request, "max-uploads", mostEntries);
  const encode = readEncoding(call.request);
  const sorted = [...bucket.uploads.values()]
    .filter(({ key }) => key.startsWith(prefix))
    // Those begun first come first: the map and the sort keep their order.
    .sort((a, b) => compareUtf8(a.key, b.key));
  const left = sorted.slice(positionAfter(sorted, keyMarker, idMarker));
  const { uploads, prefixes, truncated, last } = pageOf(left, {
    prefix,
    delimiter,
    keyMarker,
    limit,
  });
  const children = [
    element("Bucket", bucket.name),
    element("KeyMarker", encode(keyMarker)),
    element("UploadIdMarker", idMarker),
    ...(truncated
      ? [element("NextKeyMarker", encode(last.key)), element("NextUploadIdMarker", last.id)]
      : []),
    ...(prefix === "" ? [] : [element("Prefix", encode(prefix))]),
    ...(delimiter === "" ? [] : [element("Delimiter", encode(delimiter))]),
    ...(query.has("encoding-type") ? [element("EncodingType", "url")] : []),
    element("MaxUploads", limit),
    element("IsTruncated", truncated),
    ...uploads.map((upload) => describe(upload, encode)),
    ...prefixes.map((common) => group("CommonPrefixes", [element("Prefix", encode(common))])),
  ];
  return { status: 200, body: xmlDocument("ListMultipartUploadsResult", children) };
}

function positionAfter(sorted: readonly Upload[], keyMarker: string, idMarker: string): number {
  const marked = sorted.findIndex(({ key, id }) => key === keyMarker && id === idMarker);
  if (marked !== -1) return marked + 1;
  const next = sorted.findIndex(({ key }) => compareUtf8(key, keyMarker) > 0);
  return next === -1 ? sorted.length : next;
}

interface UploadPage {
  readonly uploads: readonly Upload[];
  readonly prefixes: readonly string[];
  readonly truncated: boolean;
  readonly last: { readonly key: string; readonly id: string };
}

function pageOf(
  left: readonly Upload[],
  wanted: { prefix: string; delimiter: string; keyMarker: string; limit: number },
): UploadPage {
  const uploads: Upload[] = [];
  const prefixes: string[] = [];
  let last = { key: "", id: "" };
  for (const upload of left) {
    const common = commonPrefix(upload.key, wanted.prefix, wanted.delimiter);
    if (common !== undefined && (prefixes.at(-1) === common || wanted.keyMarker === common))
      continue;
    if (uploads.length + prefixes.length === wanted.limit) {
      return { uploads, prefixes, truncated: wanted.limit > 0, last };
    }
    if (common === undefined) uploads.push(upload);
    else prefixes.push(common);
    last = common === undefined ? upload : { key: common, id: "" };
  }
  return { uploads, prefixes, truncated: false, last };
}

function commonPrefix(key: string, prefix: string, delimiter: string): string | undefined {
  const at = delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length);
  return at === -1 ? undefined : key.slice(0, at + delimiter.length);
}

function describe(upload: Upload, encode: (text: string) => string): string {
  return group("Upload", [
    element("Key", encode(upload.key)),
    element("UploadId", upload.id),
    owner().replaceAll("Owner>", "Initiator>"),
    owner(),
    element("StorageClass", upload.attributes.storageClass),
    element("Initiated", new Date(upload.initiated).toISOString()),
    ...checksumElements(upload),
  ]);
}

/** ListParts. */
export function listParts(call: S3Call): S3Answer {
  const bucket = bucketOf(call);
  const upload = uploadOf(call, bucket);
  const limit = readLimit(call.request, "max-parts", mostEntries);
  const marker = readLimit(call.request, "part-number-marker", 0x7fff_ffff);
  const after = call.request.query.has("part-number-marker") ? marker : 0;
  const sorted = [...upload.parts.values()]
    .filter(({ number }) => number > after)
    .sort((a, b) => a.number - b.number);
  const page = sorted.slice(0, limit);
  const truncated = sorted.length > page.length && limit > 0;
  const children = [
    element("Bucket", bucket.name),
    element("Key", upload.key),
    element("UploadId", upload.id),
    owner().replaceAll("Owner>", "Initiator>"),
    owner(),
    element("StorageClass", upload.attributes.storageClass),
    element("PartNumberMarker", after),
    element("NextPartNumberMarker", page.at(-1)?.number ?? 0),
    element("MaxParts", limit),
    element("IsTruncated", truncated),
    ...checksumElements(upload),
    ...page.map((part) => describePart(upload, part)),
  ];
  return { status: 200, body: xmlDocument("ListPartsResult", children) };
}

function describePart(upload: Upload, part: UploadedPart): string {
  return group("Part", [
    element("PartNumber", part.number),
    element("LastModified", new Date(part.lastModified).toISOString()),
    element("ETag", `"${part.etag}"`),
    element("Size", part.size),
    ...(upload.checksum === undefined || part.checksum === undefined
      ? []
      : [element(checksumElement(part.checksum.algorithm), part.checksum.value)]),
  ]);
}

function checksumElements(upload: Upload): string[] {
  if (upload.checksum === undefined) return [];
  return [
    element("ChecksumAlgorithm", upload.checksum.algorithm),
    element("ChecksumType", upload.checksum.type),
  ];
}
