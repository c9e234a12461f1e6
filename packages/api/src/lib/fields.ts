import * as v from "valibot";

/** What the fields of requests and answers are made of. */

/** A text that the grammar in its description holds; the registry checks it, and says how. */
function text(description: string, pattern?: string) {
  return v.pipe(
    v.string(),
    v.description(description),
    v.metadata(pattern === undefined ? {} : { pattern }),
  );
}

const nameRule = "^[a-z0-9][a-z0-9._-]{0,127}$";
const versionRule = "^[A-Za-z0-9][A-Za-z0-9._+-]{0,127}$";
const addressRule = "^(blake3|sha256):[0-9a-f]{64}$";
const timeRule = "^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}\\.\\d{3}Z$";

export const namespace = text("A namespace, e.g. `acme`.", nameRule);
export const name = text("A name within a namespace, e.g. `app`.", nameRule);
export const version = text("A version, e.g. `1.2.0`.", versionRule);
export const variant = text("A variant, e.g. `linux-amd64`.", nameRule);
export const tagName = text("A tag, e.g. `stable`.", nameRule);
export const reference = text(
  "A reference: `acme/app@1.2.0`, `acme/app@1.2.0/linux-amd64`, `acme/app:stable`, `acme/app`, " +
    "`acme/app@blake3:…`.",
);
export const id = text("An id, a UUID.");
export const packageId = text("The package's id, a UUID.");
export const filePath = text("A file's path in the package, e.g. `bin/app`.");
export const contentAddress = text("A content address: `blake3:<64 hex>`.", addressRule);
export const username = text("A user's name.", "^[a-z0-9][a-z0-9._-]{0,63}$");
export const scope = text("A scope: `read:<pattern>`, `write:…`, `admin:…` or `metrics`.");
export const backendName = text("A backend's name, e.g. `primary`.", nameRule);
export const time = text("A time: RFC 3339, UTC, milliseconds.", timeRule);
const cursor = text("Where the list goes on, as the page before said.");
export const count = v.pipe(v.number(), v.integer(), v.minValue(0));
/** Any JSON object. `v.record` would drop members that are named `constructor` or the like. */
export const jsonObject = v.pipe(
  v.custom<Record<string, unknown>>(
    (value) => typeof value === "object" && value !== null && !Array.isArray(value),
    "it must be a JSON object",
  ),
  v.metadata({ type: "object" }),
);

/** A free text with a meaning of its own. */
export const described = (description: string) => text(description);

/** A whole number in a query. */
export function integerInQuery(least: number, most: number) {
  return v.pipe(
    v.string(),
    v.regex(/^\d{1,16}$/, "it must be a whole number"),
    v.transform(Number),
    v.integer(),
    v.minValue(least),
    v.maxValue(most),
  );
}

/** `true` or `false` in a query. */
export const flagInQuery = v.pipe(
  v.picklist(["true", "false"]),
  v.transform((value) => value === "true"),
);

/** What every list takes. */
export const pageQuery = {
  cursor: v.optional(cursor),
  limit: v.optional(integerInQuery(1, 1000)),
};

/** One page of a list; `cursor` is absent at its end. */
export function pageOf<const Item extends v.GenericSchema>(item: Item) {
  return v.object({ items: v.array(item), cursor: v.optional(cursor) });
}
