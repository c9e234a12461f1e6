import { bucketOf, receiveText, type S3Answer, type S3Call } from "./call.ts";
import { checkWriteConditions, readWriteConditions, unquote } from "./conditions.ts";
import { S3Error } from "./errors.ts";
import { childText, element, group, parseXml, type XmlElement, xmlDocument } from "./xml.ts";

/** DeleteObject: an object that is not there is success. */
export function deleteObject(call: S3Call): S3Answer {
  const bucket = bucketOf(call);
  const { key } = call.request;
  const { etag } = readWriteConditions(call.request);
  checkWriteConditions({ absent: false, etag }, bucket.get(key));
  bucket.delete(key);
  return { status: 204 };
}

const mostKeys = 1000;

/** DeleteObjects. */
export async function deleteObjects(call: S3Call): Promise<S3Answer> {
  const bucket = bucketOf(call);
  const root = parseXml(await receiveText(call, "must-be-checked"));
  if (root?.name !== "Delete") throw new S3Error("MalformedXML");
  const objects = root.children.filter(({ name }) => name === "Object");
  if (objects.length === 0 || objects.length > mostKeys) throw new S3Error("MalformedXML");
  const quiet = childText(root, "Quiet") === "true";
  const results = objects.map((object) => {
    const key = keyOf(object);
    const etag = childText(object, "ETag");
    const found = bucket.get(key);
    if (etag !== undefined && unquote(etag) !== found?.etag) {
      const refusal = new S3Error("PreconditionFailed");
      return group("Error", [
        element("Key", key),
        element("Code", refusal.code),
        element("Message", refusal.message),
      ]);
    }
    bucket.delete(key);
    return quiet ? "" : group("Deleted", [element("Key", key)]);
  });
  return { status: 200, body: xmlDocument("DeleteResult", results) };
}

function keyOf(object: XmlElement): string {
  // Not `childText`: white space belongs to a key.
  const key = object.children.find(({ name }) => name === "Key")?.text ?? "";
  if (key === "") throw new S3Error("MalformedXML");
  return key;
}
