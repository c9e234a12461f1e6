import * as v from "valibot";

import { described } from "./fields.ts";

/** The media type of every error (RFC 9457). */
export const problemMediaType = "application/problem+json";

/** An error: an RFC 9457 problem. `code` is what programs look at; docs/errors.md lists them. */
export const problemSchema = v.object({
  type: described("`about:blank`: what went wrong is said by `code`."),
  title: v.string(),
  status: v.pipe(v.number(), v.integer(), v.minValue(400), v.maxValue(599)),
  detail: v.string(),
  code: v.string(),
  requestId: v.optional(described("What the server's log calls this request.")),
  context: v.optional(
    v.pipe(v.record(v.string(), v.unknown()), v.description("The circumstances, by name.")),
  ),
});
export type ProblemJson = v.InferOutput<typeof problemSchema>;
