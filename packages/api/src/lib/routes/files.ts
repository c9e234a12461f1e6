import * as v from "valibot";

import * as field from "../fields.ts";
import * as file from "../resources/file.ts";
import { bytes, defineRoute, json } from "../route.ts";

const tag = "Files";
const packageParams = v.object({ packageId: field.packageId });
const params = v.object({ packageId: field.packageId, path: field.filePath });
const address = v.object({
  address: field.described("`blake3:<64 hex>` or `sha256:<64 hex>`."),
});

const rangeHeaders = {
  range: "One or several byte ranges (RFC 9110 §14).",
  "if-none-match": "Entity tags; 304 where one is the object's.",
  "if-match": "Entity tags; 412 where none is the object's.",
  "if-range": "An entity tag; the range counts only where it is the object's.",
  "store-redirect": "`never`: the bytes come from this server, never from a redirect.",
};

const download = {
  200: {
    description: "The bytes, whole.",
    content: bytes("application/octet-stream"),
    headers: {
      etag: 'The content address, as `"blake3:…"`.',
      "repr-digest": "Both digests (RFC 9530).",
      "accept-ranges": "`bytes`.",
      "store-verified": "`whole`: held to its digests on its way; what is not right is cut.",
      "store-executable": "`true` where the file of a package is executable.",
      "store-media-type": "The file's own, which `content-type` is not where browsers act on it.",
    },
  },
  206: {
    description: "One range, or several as `multipart/byteranges`.",
    content: bytes("application/octet-stream", "multipart/byteranges"),
    headers: {
      "store-verified": "`none`: a part cannot be held to the digests; `whole` where it is all.",
    },
  },
  304: { description: "The caller has these bytes." },
  307: {
    description:
      "Where the server is set so, large bytes are read from the place where they are: at the URL " +
      "in `Location`, without the credential, for as long as it works. What it answers is not " +
      "verified on its way; the digests here say what it has to be. Never for a request with " +
      "conditions or several ranges.",
    headers: {
      location: "Where the bytes are: a secret, for five minutes.",
      etag: 'The content address, as `"blake3:…"`.',
      "repr-digest": "Both digests (RFC 9530) of the whole.",
    },
  },
};

/** Files in packages, and the objects behind them. */
export const fileRoutes = {
  listFiles: defineRoute({
    method: "GET",
    path: "/api/v1/packages/{packageId}/files",
    tag,
    summary: "List the files of a package",
    access: "read",
    params: packageParams,
    query: v.object(field.pageQuery),
    answers: { 200: { description: "A page.", content: json(field.pageOf(file.fileSchema)) } },
  }),
  putFile: defineRoute({
    method: "PUT",
    path: "/api/v1/packages/{packageId}/files/{path}",
    tag,
    summary: "Add a file to an open package",
    description:
      "The body is the file. Without one, `Store-Object` adds an object that the caller may read " +
      "already, `Store-Upload` what a resumable upload became.",
    access: "write",
    params,
    query: v.object({
      expect: v.optional(field.described("The content address that the bytes must have.")),
      replace: v.optional(field.flagInQuery),
      executable: v.optional(field.flagInQuery),
    }),
    headers: {
      "content-digest": "Digests of the body (RFC 9530), `sha-256` or `blake3`.",
      "repr-digest": "The same.",
      "content-type": "The file's media type, where it is not `application/octet-stream`.",
      "store-object": "A content address; there is no body then.",
      "store-upload": "The id of a complete upload; there is no body then.",
      "idempotency-key": "1–128 printable ASCII characters.",
    },
    body: bytes("application/octet-stream"),
    answers: {
      201: { description: "The file.", content: json(file.addedFileSchema) },
    },
  }),
  getFile: defineRoute({
    method: "GET",
    path: "/api/v1/packages/{packageId}/files/{path}",
    tag,
    summary: "Download a file",
    description: "`HEAD` answers the same without the bytes.",
    access: "read",
    params,
    headers: rangeHeaders,
    answers: download,
  }),
  deleteFile: defineRoute({
    method: "DELETE",
    path: "/api/v1/packages/{packageId}/files/{path}",
    tag,
    summary: "Take a file out of an open package",
    access: "write",
    params,
    headers: { "idempotency-key": "1–128 printable ASCII characters." },
    answers: { 204: { description: "It is gone." } },
  }),
  getObject: defineRoute({
    method: "GET",
    path: "/api/v1/objects/{address}",
    tag: "Objects",
    summary: "Download an object by its content address",
    description:
      "Only what is in a package that the caller may read. `HEAD` answers the same without the " +
      "bytes.",
    access: "read",
    params: address,
    headers: rangeHeaders,
    answers: download,
  }),
  listMissingObjects: defineRoute({
    method: "POST",
    path: "/api/v1/objects/missing",
    tag: "Objects",
    summary: "Say which of up to 10,000 objects have to be uploaded",
    access: "reader",
    body: json(file.missingObjectsSchema),
    answers: {
      200: {
        description: "Those that are not stored, as far as the caller may know.",
        content: json(file.missingAnswerSchema),
      },
    },
  }),
};
