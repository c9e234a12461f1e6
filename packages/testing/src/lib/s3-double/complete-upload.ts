import type { Bucket, StoredObject, Upload, UploadedPart } from "./bucket.ts";
import { bucketOf, receiveText, type S3Answer, type S3Call } from "./call.ts";
import {
  checksumElement,
  checksumHeader,
  compositeChecksum,
  fullObjectChecksum,
  multipartEtag,
  type StoredChecksum,
} from "./checksums.ts";
import { conditionally, unquote } from "./conditions.ts";
import { S3Error } from "./errors.ts";
import { encryptionHeaders } from "./object-headers.ts";
import { header, type S3Request } from "./request.ts";
import { uploadOf } from "./uploads.ts";
import { childText, element, parseXml, type XmlElement, xmlDocument } from "./xml.ts";

/** CompleteMultipartUpload. */
export async function completeUpload(call: S3Call): Promise<S3Answer> {
  const bucket = bucketOf(call);
  const { request, service } = call;
  const before = bucket.completed.get(request.query.get("uploadId") ?? "");
  if (service.completesAgain && before?.key === request.key) {
    await receiveText(withoutChecksum(call));
    return answer(call, bucket, before);
  }
  return conditionally(bucket, request, async (recheck) => {
    uploadOf(call, bucket);
    const listed = readPartList(await receiveText(withoutChecksum(call)));
    // The upload may have ended while the list came.
    const upload = uploadOf(call, bucket);
    const parts = chooseParts(upload, listed, service.limits.partBytes);
    const checksum = wholeChecksum(upload, parts, request);
    requireSize(request, parts);
    recheck();
    const object = assemble(upload, parts, checksum, service.now());
    for (const part of parts) upload.parts.delete(part.number);
    bucket.put(object);
    bucket.endUpload(upload);
    bucket.remember(upload, object);
    return answer(call, bucket, object);
  });
}

/** The checksum headers of a Complete are the object's, not the document's. */
function withoutChecksum(call: S3Call): S3Call {
  const headers = Object.fromEntries(
    Object.entries(call.request.headers).filter(([name]) => !name.startsWith("x-amz-checksum-")),
  );
  return { ...call, request: { ...call.request, headers } };
}

function readPartList(document: string): readonly XmlElement[] {
  const root = parseXml(document);
  if (root?.name !== "CompleteMultipartUpload") throw new S3Error("MalformedXML");
  const listed = root.children.filter(({ name }) => name === "Part");
  if (listed.length === 0) throw new S3Error("MalformedXML");
  return listed;
}

function chooseParts(
  upload: Upload,
  listed: readonly XmlElement[],
  partBytes: number,
): readonly UploadedPart[] {
  let before = 0;
  const parts = listed.map((each) => {
    const number = Number(childText(each, "PartNumber") ?? Number.NaN);
    const etag = childText(each, "ETag");
    if (!Number.isInteger(number) || etag === undefined) throw new S3Error("MalformedXML");
    if (number <= before) throw new S3Error("InvalidPartOrder", { UploadId: upload.id });
    before = number;
    return choosePart(upload, each, number, unquote(etag));
  });
  for (const part of parts.slice(0, -1)) {
    if (part.size >= partBytes) continue;
    throw new S3Error("EntityTooSmall", {
      ProposedSize: String(part.size),
      MinSizeAllowed: String(partBytes),
      PartNumber: String(part.number),
      ETag: part.etag,
    });
  }
  return parts;
}

function choosePart(
  upload: Upload,
  listed: XmlElement,
  number: number,
  etag: string,
): UploadedPart {
  const part = upload.parts.get(number);
  const invalid = { UploadId: upload.id, PartNumber: String(number), ETag: etag };
  if (part === undefined || part.etag !== etag) throw new S3Error("InvalidPart", invalid);
  if (upload.checksum === undefined) return part;
  const { algorithm, type } = upload.checksum;
  const given = childText(listed, checksumElement(algorithm));
  if (given === undefined && type === "COMPOSITE") {
    throw new S3Error(
      "InvalidRequest",
      {},
      `The upload was created using a ${algorithm.toLowerCase()} checksum. The complete request ` +
        `must include the checksum for each part. It was missing for part ${number} in the request.`,
    );
  }
  if (given !== undefined && given !== part.checksum?.value) {
    throw new S3Error("InvalidPart", invalid);
  }
  return part;
}

function wholeChecksum(
  upload: Upload,
  parts: readonly UploadedPart[],
  request: S3Request,
): StoredChecksum | undefined {
  const { algorithm, type } = upload.checksum ?? { algorithm: "CRC64NVME", type: "FULL_OBJECT" };
  const sums = parts.flatMap(({ size, checksum }) => {
    return checksum?.algorithm === algorithm ? [{ size, value: checksum.value }] : [];
  });
  if (sums.length !== parts.length) return undefined;
  const value =
    type === "COMPOSITE" ? compositeChecksum(algorithm, sums) : fullObjectChecksum(algorithm, sums);
  const givenType = header(request, "x-amz-checksum-type");
  if (givenType !== undefined && givenType !== type) {
    throw new S3Error(
      "InvalidRequest",
      {},
      `The upload was created using the ${type} checksum mode. The complete request must use the ` +
        "same checksum mode.",
    );
  }
  const given = header(request, checksumHeader(algorithm));
  if (given !== undefined && given !== value) {
    throw new S3Error(
      "BadDigest",
      {},
      `The ${algorithm.toLowerCase()} you specified did not match the calculated checksum.`,
    );
  }
  return { algorithm, type, value };
}

function requireSize(request: S3Request, parts: readonly UploadedPart[]): void {
  const given = header(request, "x-amz-mp-object-size");
  const size = parts.reduce((sum, part) => sum + part.size, 0);
  if (given === undefined || Number(given) === size) return;
  throw new S3Error(
    "InvalidRequest",
    {},
    `The provided 'x-amz-mp-object-size' header does not match what was computed.`,
  );
}

function assemble(
  upload: Upload,
  parts: readonly UploadedPart[],
  checksum: StoredChecksum | undefined,
  now: number,
): StoredObject {
  return {
    ...upload.attributes,
    key: upload.key,
    size: parts.reduce((sum, part) => sum + part.size, 0),
    etag: multipartEtag(parts.map((part) => part.etag)),
    lastModified: now,
    segments: parts.flatMap((part) => part.segments),
    parts: parts.map(({ size, checksum: sum }, index) => {
      return { number: index + 1, size, checksum: sum?.value };
    }),
    ...(checksum === undefined ? {} : { checksum }),
  };
}

function answer(call: S3Call, bucket: Bucket, object: StoredObject): S3Answer {
  const host = call.request.headers.host ?? "";
  const { checksum } = object;
  const children = [
    element("Location", `http://${host}/${bucket.name}/${object.key}`),
    element("Bucket", bucket.name),
    element("Key", object.key),
    element("ETag", `"${object.etag}"`),
    ...(checksum === undefined
      ? []
      : [
          element(checksumElement(checksum.algorithm), checksum.value),
          element("ChecksumType", checksum.type),
        ]),
  ];
  return {
    status: 200,
    headers: encryptionHeaders(object.encryption),
    body: xmlDocument("CompleteMultipartUploadResult", children),
  };
}
