import * as v from "valibot";

import * as field from "../fields.ts";
import { uploadSchema } from "../resources/upload.ts";
import { bytes, defineRoute, json } from "../route.ts";

const tag = "Uploads";
const params = v.object({ uploadId: field.id });
const version = { "tus-resumable": "`1.0.0`." };
const state = {
  "tus-resumable": "`1.0.0`.",
  "upload-offset": "How many bytes are durable.",
  "upload-expires": "When the upload ends, unless it is continued.",
};

/** Resumable uploads: the tus protocol, version 1.0. */
export const uploadRoutes = {
  getUploadOptions: defineRoute({
    method: "OPTIONS",
    path: "/api/v1/uploads",
    tag,
    summary: "Say what of tus is served",
    access: "public",
    answers: {
      204: {
        description: "The headers say it.",
        headers: {
          "tus-version": "`1.0.0`.",
          "tus-extension": "The extensions.",
          "tus-max-size": "The largest upload, in bytes.",
          "tus-checksum-algorithm": "The algorithms of `Upload-Checksum`.",
        },
      },
    },
  }),
  createUpload: defineRoute({
    method: "POST",
    path: "/api/v1/uploads",
    tag,
    summary: "Begin an upload, perhaps with its first bytes",
    access: "writer",
    headers: {
      ...version,
      "upload-length": "The size in bytes.",
      "upload-defer-length": "`1`: the size is said later.",
      "upload-metadata":
        "Names and base64 values; `expect` is the content address, `retention_class` a hint.",
      "upload-checksum": "A checksum of the body.",
    },
    body: bytes("application/offset+octet-stream"),
    answers: {
      201: {
        description: "The upload.",
        headers: { ...state, location: "Where it is continued." },
      },
    },
  }),
  listUploads: defineRoute({
    method: "GET",
    path: "/api/v1/uploads",
    tag,
    summary: "List one's uploads",
    access: "authenticated",
    query: v.object(field.pageQuery),
    answers: { 200: { description: "A page.", content: json(field.pageOf(uploadSchema)) } },
  }),
  getUpload: defineRoute({
    method: "GET",
    path: "/api/v1/uploads/{uploadId}",
    tag,
    summary: "Show an upload; once it is complete, its content address",
    access: "authenticated",
    params,
    answers: { 200: { description: "The upload.", content: json(uploadSchema) } },
  }),
  headUpload: defineRoute({
    method: "HEAD",
    path: "/api/v1/uploads/{uploadId}",
    tag,
    summary: "Ask for an upload's offset",
    access: "authenticated",
    params,
    headers: version,
    answers: { 200: { description: "The headers say it.", headers: state } },
  }),
  appendUpload: defineRoute({
    method: "PATCH",
    path: "/api/v1/uploads/{uploadId}",
    tag,
    summary: "Send bytes at the upload's offset",
    access: "writer",
    params,
    headers: {
      ...version,
      "upload-offset": "Where the bytes go: the upload's offset.",
      "upload-length": "The size in bytes, where it was deferred.",
      "upload-checksum": "A checksum of the body, which may then have 16 MiB.",
    },
    body: bytes("application/offset+octet-stream"),
    answers: {
      204: {
        description: "What was sent is durable.",
        headers: { ...state, "store-object": "The content address, once it is complete." },
      },
    },
  }),
  cancelUpload: defineRoute({
    method: "DELETE",
    path: "/api/v1/uploads/{uploadId}",
    tag,
    summary: "End an upload and forget its bytes",
    access: "authenticated",
    params,
    headers: version,
    answers: { 204: { description: "It is gone." } },
  }),
};
