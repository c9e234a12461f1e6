import * as v from "valibot";

import * as field from "../fields.ts";
import * as schema from "../resources/metadata-schema.ts";
import * as naming from "../resources/name.ts";
import * as pkg from "../resources/package.ts";
import { defineRoute, json } from "../route.ts";

const tag = "Names";
const params = v.object({ namespace: field.namespace, name: field.name });
const tagParams = v.object({ namespace: field.namespace, name: field.name, tag: field.tagName });
const tagAnswer = {
  description: "The tag.",
  content: json(naming.tagSchema),
  headers: { etag: "The id of the package that it targets, quoted." },
};
const tagCondition = {
  "if-match": "The quoted id of the package that the tag must target now.",
  "idempotency-key": "1–128 printable ASCII characters.",
};

/** Names, versions and tags, and the schemas of metadata. */
export const nameRoutes = {
  resolve: defineRoute({
    method: "GET",
    path: "/api/v1/resolve",
    tag,
    summary: "Find the package that a reference names",
    access: "read",
    query: v.object({ ref: field.reference }),
    answers: { 200: { description: "The package.", content: json(pkg.resolvedSchema) } },
  }),
  listNames: defineRoute({
    method: "GET",
    path: "/api/v1/names",
    tag,
    summary: "List names",
    access: "reader",
    query: v.object({ ...field.pageQuery, namespace: v.optional(field.namespace) }),
    answers: { 200: { description: "A page.", content: json(field.pageOf(naming.nameSchema)) } },
  }),
  getName: defineRoute({
    method: "GET",
    path: "/api/v1/names/{namespace}/{name}",
    tag,
    summary: "Show a name: its latest package, and the first versions and tags",
    access: "read",
    params,
    answers: { 200: { description: "The name.", content: json(naming.nameDetailsSchema) } },
  }),
  listVersions: defineRoute({
    method: "GET",
    path: "/api/v1/names/{namespace}/{name}/versions",
    tag,
    summary: "List the versions of a name, the highest first",
    access: "read",
    params,
    query: v.object(field.pageQuery),
    answers: {
      200: { description: "A page.", content: json(field.pageOf(pkg.packageSummarySchema)) },
    },
  }),
  listTags: defineRoute({
    method: "GET",
    path: "/api/v1/names/{namespace}/{name}/tags",
    tag,
    summary: "List the tags of a name",
    access: "read",
    params,
    query: v.object(field.pageQuery),
    answers: { 200: { description: "A page.", content: json(field.pageOf(naming.tagSchema)) } },
  }),
  setTag: defineRoute({
    method: "PUT",
    path: "/api/v1/names/{namespace}/{name}/tags/{tag}",
    tag,
    summary: "Set or move a tag",
    access: "write",
    params: tagParams,
    headers: { ...tagCondition, "if-none-match": "`*`: there must be no such tag." },
    body: json(naming.setTagSchema),
    answers: { 200: tagAnswer },
  }),
  removeTag: defineRoute({
    method: "DELETE",
    path: "/api/v1/names/{namespace}/{name}/tags/{tag}",
    tag,
    summary: "Remove a tag",
    access: "write",
    params: tagParams,
    headers: tagCondition,
    answers: { 204: { description: "It is gone." } },
  }),
  registerSchema: defineRoute({
    method: "POST",
    path: "/api/v1/schemas",
    tag: "Metadata schemas",
    summary: "Register a revision of a metadata schema",
    access: "instance",
    headers: { "idempotency-key": "1–128 printable ASCII characters." },
    body: json(schema.registerSchemaSchema),
    answers: { 201: { description: "The revision.", content: json(schema.schemaSchema) } },
  }),
  listSchemas: defineRoute({
    method: "GET",
    path: "/api/v1/schemas",
    tag: "Metadata schemas",
    summary: "List the revisions of metadata schemas",
    access: "authenticated",
    query: v.object(field.pageQuery),
    answers: {
      200: { description: "A page.", content: json(field.pageOf(schema.schemaSummarySchema)) },
    },
  }),
  getSchema: defineRoute({
    method: "GET",
    path: "/api/v1/schemas/{reference}",
    tag: "Metadata schemas",
    summary: "Show a metadata schema",
    access: "authenticated",
    params: v.object({ reference: field.described("`name`, or `name@revision`.") }),
    answers: { 200: { description: "The revision.", content: json(schema.schemaSchema) } },
  }),
};
