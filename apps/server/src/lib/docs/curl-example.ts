import type { Content, OpenApiObject } from "@store/api";

import type { JsonSchema } from "./schema-text.ts";

/** What of an operation an example is made of. */
export interface ExampleSource {
  readonly method: string;
  readonly path: string;
  readonly isPublic: boolean;
  readonly parameters: readonly ExampleParameter[];
  readonly body?: { readonly kind: Content["kind"]; readonly schema?: JsonSchema };
  /** Whether the answer is bytes that one would keep in a file. */
  readonly answersBytes: boolean;
}

export interface ExampleParameter {
  readonly in: string;
  readonly name: string;
  readonly required: boolean;
  readonly schema: OpenApiObject;
}

const packageId = "01890a5d-ac96-774b-bcce-b302099a8057";
const address = `blake3:${"af13".repeat(16)}`;

/** Values as they might be, by the name of what they are for. */
const samples: Readonly<Record<string, unknown>> = {
  address,
  addresses: [address],
  class: "release",
  current_password: "…",
  from: "primary",
  holdId: packageId,
  name: "app",
  namespace: "acme",
  new_password: "…",
  packageId,
  package_id: packageId,
  password: "…",
  path: "bin/app",
  reason: "a legal case",
  ref: "acme/app:stable",
  reference: "build-facts",
  refresh_token: "…",
  schema: { type: "object" },
  scopes: ["read:acme/*"],
  tag: "stable",
  to: "mirror",
  tokenId: packageId,
  uploadId: packageId,
  username: "ada",
  version: "1.2.0",
};

/** A call by `curl` that can be copied: `STORE_URL` and `STORE_TOKEN` say where and as whom. */
export function curlExample(source: ExampleSource): string {
  const { method, isPublic, body, answersBytes } = source;
  const words = [
    method === "GET" ? "curl" : method === "HEAD" ? "curl --head" : `curl -X ${method}`,
    ...(isPublic ? [] : ['-H "Authorization: Bearer $STORE_TOKEN"']),
    ...(body === undefined ? [] : bodyWords(body)),
    ...(answersBytes && method === "GET" ? ["-o download"] : []),
    `"$STORE_URL${targetOf(source)}"`,
  ];
  return words.join(" \\\n  ");
}

function bodyWords({ kind, schema = {} }: NonNullable<ExampleSource["body"]>): string[] {
  if (kind === "bytes") return ["--data-binary @file"];
  const text = JSON.stringify(sampleOf("", schema));
  return ["-H 'Content-Type: application/json'", `-d '${text}'`];
}

function targetOf({ path, parameters }: ExampleSource): string {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const sample = samples[name];
    return typeof sample === "string" ? sample : name;
  });
  const query = parameters
    .filter((one) => one.in === "query" && one.required)
    .map(({ name, schema }) => `${name}=${String(sampleOf(name, schema))}`);
  return query.length === 0 ? filled : `${filled}?${query.join("&")}`;
}

function sampleOf(name: string, schema: JsonSchema): unknown {
  if (Object.hasOwn(samples, name)) return samples[name];
  const { type, properties = {}, required = [] } = schema;
  if (type === "object") {
    return Object.fromEntries(
      required.map((member) => [member, sampleOf(member, properties[member] ?? {})]),
    );
  }
  if (schema.enum !== undefined) return schema.enum[0];
  if (type === "array") return [sampleOf("", schema.items ?? {})];
  if (type === "integer" || type === "number") return schema.minimum ?? 0;
  if (type === "boolean") return true;
  return "…";
}
