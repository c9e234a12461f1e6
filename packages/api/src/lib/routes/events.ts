import * as v from "valibot";

import * as field from "../fields.ts";
import * as event from "../resources/event.ts";
import { bytes, defineRoute, json } from "../route.ts";

const tag = "Events";

/** The log. */
export const eventRoutes = {
  listEvents: defineRoute({
    method: "GET",
    path: "/api/v1/events",
    tag,
    summary: "Read the log, or follow it",
    description:
      "By `Accept`: a page as JSON; `text/event-stream`, which goes on as events happen and " +
      "resumes at `Last-Event-ID`; or a page as `application/cbor-seq` (RFC 8742), in which each " +
      "item is an array of the header's and the payload's bytes as the log keeps them.",
    access: "reader",
    query: v.object({
      since: v.optional(field.integerInQuery(0, Number.MAX_SAFE_INTEGER)),
      limit: v.optional(field.integerInQuery(1, 1000)),
      type: v.optional(
        field.described("Only events of this type; several are separated by commas."),
      ),
      subject: v.optional(field.described("Only events about this, e.g. `acme/app`.")),
    }),
    headers: { "last-event-id": "The `seq` of the last event that was seen." },
    answers: {
      200: {
        description: "Events, in the order of the log.",
        content: json(event.eventPageSchema),
        alternatives: [bytes("text/event-stream"), bytes("application/cbor-seq")],
      },
    },
  }),
  getLogHead: defineRoute({
    method: "GET",
    path: "/api/v1/events/head",
    tag,
    summary: "Show the length and the root of the log",
    access: "reader",
    answers: { 200: { description: "The head.", content: json(event.logHeadSchema) } },
  }),
};
