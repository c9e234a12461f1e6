import * as v from "valibot";

import * as field from "../fields.ts";
import { verifyReportSchema } from "../resources/operation.ts";
import * as pkg from "../resources/package.ts";
import * as retention from "../resources/retention.ts";
import { bytes, defineRoute, json, optionalJson } from "../route.ts";

const tag = "Packages";
const params = v.object({ packageId: field.packageId });
const idempotencyKey = {
  "idempotency-key": "1–128 printable ASCII characters that make the request safe to repeat.",
};
const summary = { description: "The package.", content: json(pkg.packageSummarySchema) };

function archiveRoute<const Extension extends string>(extension: Extension, mediaType: string) {
  return defineRoute({
    method: "GET",
    path: `/api/v1/packages/{packageId}/archive.${extension}`,
    tag,
    summary: `Download a finalized package as ${extension}`,
    description: "The same bytes on every server.",
    access: "read",
    params,
    answers: { 200: { description: "The archive.", content: bytes(mediaType) } },
  });
}

/** Packages as wholes. */
export const packageRoutes = {
  createPackage: defineRoute({
    method: "POST",
    path: "/api/v1/packages",
    tag,
    summary: "Open a package",
    access: "write",
    headers: idempotencyKey,
    body: json(pkg.createPackageSchema),
    answers: {
      201: {
        description: "The open package.",
        content: json(pkg.packageSchema),
        headers: { location: "The package's path." },
      },
    },
  }),
  listPackages: defineRoute({
    method: "GET",
    path: "/api/v1/packages",
    tag,
    summary: "List packages",
    description:
      "Everything given must hold. What narrows a name needs the name, and a name its namespace. " +
      "A page may be shorter than `limit`: the list ends where there is no `cursor`.",
    access: "reader",
    query: v.object({
      ...field.pageQuery,
      namespace: v.optional(field.namespace),
      name: v.optional(field.name),
      version: v.optional(field.version),
      variant: v.optional(field.variant),
      status: v.optional(pkg.packageStatusSchema),
      tag: v.optional(field.tagName),
      q: v.optional(field.described("The beginning of a word of the namespace or the name.")),
    }),
    answers: {
      200: { description: "A page.", content: json(field.pageOf(pkg.packageSummarySchema)) },
    },
  }),
  getPackage: defineRoute({
    method: "GET",
    path: "/api/v1/packages/{packageId}",
    tag,
    summary: "Show a package",
    access: "read",
    params,
    answers: { 200: { description: "The package.", content: json(pkg.packageSchema) } },
  }),
  deletePackage: defineRoute({
    method: "DELETE",
    path: "/api/v1/packages/{packageId}",
    tag,
    summary: "Abandon an open package, or yank a finalized one",
    description: "What is finalized is never erased here.",
    access: "write",
    params,
    query: v.object({
      status: v.optional(
        v.pipe(
          v.picklist(["open"]),
          v.description("Only if it is open: one that is finalized is refused, not yanked."),
        ),
      ),
    }),
    headers: idempotencyKey,
    answers: { 204: { description: "It is." } },
  }),
  finalizePackage: defineRoute({
    method: "POST",
    path: "/api/v1/packages/{packageId}/finalize",
    tag,
    summary: "Finalize a package: it never changes again",
    access: "write",
    params,
    headers: idempotencyKey,
    answers: { 200: { description: "The package.", content: json(pkg.finalizedSchema) } },
  }),
  yankPackage: defineRoute({
    method: "POST",
    path: "/api/v1/packages/{packageId}/yank",
    tag,
    summary: "Yank a package: only its exact version resolves",
    access: "write",
    params,
    headers: idempotencyKey,
    body: optionalJson(pkg.yankSchema),
    answers: { 200: summary },
  }),
  unyankPackage: defineRoute({
    method: "POST",
    path: "/api/v1/packages/{packageId}/unyank",
    tag,
    summary: "Take yanking back",
    access: "write",
    params,
    headers: idempotencyKey,
    answers: { 200: summary },
  }),
  verifyPackage: defineRoute({
    method: "POST",
    path: "/api/v1/packages/{packageId}/verify",
    tag,
    summary: "Read every byte of a finalized package, and hold it against its digest",
    access: "read",
    params,
    answers: { 200: { description: "What was found.", content: json(verifyReportSchema) } },
  }),
  getManifest: defineRoute({
    method: "GET",
    path: "/api/v1/packages/{packageId}/manifest",
    tag,
    summary: "Give the manifest of a finalized package",
    description: "By `Accept`: canonical CBOR, whose digest names the package, or its JCS.",
    access: "read",
    params,
    answers: {
      200: {
        description: "The manifest.",
        content: bytes("application/json", "application/cbor"),
        headers: { etag: "The digest of what is sent." },
      },
    },
  }),
  getTarArchive: archiveRoute("tar", "application/x-tar"),
  getTarGzArchive: archiveRoute("tar.gz", "application/gzip"),
  getZipArchive: archiveRoute("zip", "application/zip"),
  getRetention: defineRoute({
    method: "GET",
    path: "/api/v1/packages/{packageId}/retention",
    tag: "Retention",
    summary: "Show how long a package is kept",
    access: "read",
    params,
    answers: {
      200: { description: "Its retention.", content: json(retention.retentionSchema) },
    },
  }),
  setRetention: defineRoute({
    method: "PUT",
    path: "/api/v1/packages/{packageId}/retention",
    tag: "Retention",
    summary: "Set how long a package is kept",
    access: "admin",
    params,
    headers: idempotencyKey,
    body: json(retention.setRetentionSchema),
    answers: {
      200: { description: "Its retention.", content: json(retention.retentionSchema) },
    },
  }),
  placeHold: defineRoute({
    method: "POST",
    path: "/api/v1/packages/{packageId}/holds",
    tag: "Retention",
    summary: "Hold a package",
    access: "admin",
    params,
    headers: idempotencyKey,
    body: json(retention.placeHoldSchema),
    answers: { 201: { description: "The hold.", content: json(retention.holdSchema) } },
  }),
  listHolds: defineRoute({
    method: "GET",
    path: "/api/v1/holds",
    tag: "Retention",
    summary: "List holds",
    access: "reader",
    query: v.object({
      ...field.pageQuery,
      package_id: v.optional(field.packageId),
      released: v.optional(field.flagInQuery),
    }),
    answers: { 200: { description: "A page.", content: json(field.pageOf(retention.holdSchema)) } },
  }),
  releaseHold: defineRoute({
    method: "DELETE",
    path: "/api/v1/holds/{holdId}",
    tag: "Retention",
    summary: "Release a hold",
    access: "admin",
    params: v.object({ holdId: field.id }),
    headers: idempotencyKey,
    answers: { 200: { description: "The hold.", content: json(retention.holdSchema) } },
  }),
  listRetentionClasses: defineRoute({
    method: "GET",
    path: "/api/v1/retention-classes",
    tag: "Retention",
    summary: "List the retention classes",
    access: "authenticated",
    answers: {
      200: {
        description: "All of them.",
        content: json(field.pageOf(retention.retentionClassSchema)),
      },
    },
  }),
};
