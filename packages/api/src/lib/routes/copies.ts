import * as v from "valibot";

import * as field from "../fields.ts";
import { backendSchema } from "../resources/backend.ts";
import * as copy from "../resources/copy.ts";
import * as work from "../resources/object-work.ts";
import { defineRoute, json, lines, optionalJson } from "../route.ts";

const tag = "Copies";
const params = v.object({
  address: field.described("`blake3:<64 hex>` or `sha256:<64 hex>`."),
});
const locations = {
  200: { description: "The copies.", content: json(copy.objectLocationsSchema) },
};

const progress = {
  200: {
    description:
      "How far it is: one JSON object a line, at least every few seconds. The last one has `done`, " +
      "or is the problem (RFC 9457) that ended the work.",
    content: lines(work.objectWorkLineSchema),
  },
};
const how =
  "The work ends when the caller hangs up. Asked for again, it goes on where it was, at any server " +
  "of the instance. An object that cannot be dealt with is a problem in a line, and the work goes on.";

/** Where objects are, and what is done with their copies at several backends. */
export const copyRoutes = {
  listBackends: defineRoute({
    method: "GET",
    path: "/api/v1/backends",
    tag,
    summary: "List the backends",
    access: "instance",
    answers: {
      200: {
        description: "All of them, in order of name.",
        content: json(v.object({ items: v.array(backendSchema) })),
      },
    },
  }),
  locateObject: defineRoute({
    method: "GET",
    path: "/api/v1/objects/{address}/locations",
    tag,
    summary: "Say at which backends an object is, and in which state",
    access: "instance",
    params,
    answers: locations,
  }),
  restoreObject: defineRoute({
    method: "POST",
    path: "/api/v1/objects/{address}/restore",
    tag,
    summary: "Ask the archives for an object, so that it can be read later",
    description: "Every copy that lies in an archive is asked for, or that of `backend` alone.",
    access: "instance",
    params,
    headers: { "idempotency-key": "1–128 printable ASCII characters." },
    body: json(copy.restoreObjectSchema),
    answers: locations,
  }),
  replicateObjects: defineRoute({
    method: "POST",
    path: "/api/v1/objects/replicate",
    tag,
    summary: "Copy to a backend what it lacks, or holds damaged",
    description: how,
    access: "instance",
    body: json(work.replicateObjectsSchema),
    answers: progress,
  }),
  verifyObjects: defineRoute({
    method: "POST",
    path: "/api/v1/objects/verify",
    tag,
    summary: "Read every copy of a backend, or of all, and hold it against its digests",
    description: how,
    access: "instance",
    body: optionalJson(work.verifyObjectsSchema),
    answers: progress,
  }),
  evacuateObjects: defineRoute({
    method: "POST",
    path: "/api/v1/objects/evacuate",
    tag,
    summary: "Empty a backend: each copy is removed once another one is whole",
    description: how,
    access: "instance",
    body: json(work.evacuateObjectsSchema),
    answers: progress,
  }),
};
