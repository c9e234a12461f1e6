import type { OpenApiObject } from "@store/api";
import fc from "fast-check";

import {
  nearly,
  valuesOf,
  wildJson,
  wildText,
  type JsonSchema,
  type Known,
} from "./fuzz-values.ts";

/** One operation as the OpenAPI document tells of it. */
export interface FuzzedOperation {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly Parameter[];
  /** Media types of the body with their schemas; empty where it takes none. */
  readonly body: Readonly<Record<string, { readonly schema?: JsonSchema }>>;
  readonly responses: Readonly<Record<string, FuzzedResponse>>;
}

interface Parameter {
  readonly in: "path" | "query" | "header";
  readonly name: string;
  readonly required: boolean;
  readonly schema: JsonSchema;
}

interface FuzzedResponse {
  readonly content?: Readonly<Record<string, { readonly schema?: JsonSchema }>>;
}

interface Written {
  readonly operationId: string;
  readonly parameters: readonly Parameter[];
  readonly requestBody?: { readonly content: FuzzedOperation["body"] };
  readonly responses: FuzzedOperation["responses"];
}

/** Every operation of a document. */
export function operationsOf(document: OpenApiObject): FuzzedOperation[] {
  // It is made of the routes, and held against OpenAPI's own schema by another test.
  const paths = document.paths as Record<string, Record<string, Written>>;
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, { operationId, parameters, requestBody, responses }]) => ({
      name: operationId,
      method: method.toUpperCase(),
      path,
      parameters,
      body: requestBody?.content ?? {},
      responses,
    })),
  );
}

/** A request as it goes over the wire. */
export interface FuzzedRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
}

/** Parts of a path that are not percent-encoded text, or decode to what nobody expects. */
const rawSegments = [
  "%",
  "%zz",
  "%ff",
  "%c0%ae",
  "%00",
  "%2f",
  "%2e%2e",
  ".",
  "..",
  "a%2fb",
  ";a=b",
];

/** Requests of an operation: right, nearly right, and wild, in each of their parts. */
export function requestsOf(operation: FuzzedOperation, known: Known): fc.Arbitrary<FuzzedRequest> {
  const { method, path } = operation;
  const methods = fc.constantFrom(...Array.from({ length: 9 }, () => method), "HEAD");
  return fc
    .tuple(
      methods,
      segmentsOf(operation, known),
      queryOf(operation, known),
      headersOf(operation, known),
      bodyOf(operation, known),
    )
    .map(([chosen, segments, query, headers, { type, body }]) => ({
      method: method === "GET" ? chosen : method,
      target: path.replaceAll(/\{(\w+)\}/g, (_, name: string) => segments[name] ?? "") + query,
      headers: { ...(type === undefined ? {} : { "content-type": type }), ...headers },
      body,
    }));
}

function mixed(good: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.oneof(
    { weight: 8, arbitrary: good },
    { weight: 1, arbitrary: nearly(good) },
    { weight: 1, arbitrary: wildText },
  );
}

function segmentsOf({ parameters }: FuzzedOperation, known: Known) {
  const members = parameters
    .filter((one) => one.in === "path")
    .map(({ name, schema }) => {
      const encoded = mixed(valuesOf(schema, known, name)).map((value) => encode(String(value)));
      const isPath = name === "path";
      const segments = isPath ? encoded.map((text) => text.replaceAll("%2F", "/")) : encoded;
      const raw = fc.constantFrom(...rawSegments);
      const either = fc.oneof({ weight: 12, arbitrary: segments }, { weight: 1, arbitrary: raw });
      return [name, either];
    });
  return fc.record<Record<string, string>>(Object.fromEntries(members));
}

function queryOf({ parameters }: FuzzedOperation, known: Known): fc.Arbitrary<string> {
  const pairs = parameters
    .filter((one) => one.in === "query")
    .map(({ name, schema, required }) => {
      const pair = mixed(valuesOf(schema, known, name)).map((v) => `${name}=${encode(String(v))}`);
      const absent = fc.constant("");
      return fc.oneof(
        { weight: 4, arbitrary: pair },
        { weight: required ? 1 : 8, arbitrary: absent },
      );
    });
  const stray = fc.oneof(
    { weight: 15, arbitrary: fc.constant("") },
    { weight: 1, arbitrary: fc.tuple(wildText, wildText).map((two) => two.map(encode).join("=")) },
    { weight: 1, arbitrary: fc.constantFrom("limit=1&limit=1", "%zz", "&&", "=", "?", "a[]=1") },
  );
  return fc.tuple(...pairs, stray).map((all) => {
    const text = all.filter((pair) => pair !== "").join("&");
    return text === "" ? "" : `?${text}`;
  });
}

/** Without these nothing of an upload is looked at. */
const needed = new Set(["tus-resumable", "upload-offset"]);

function headersOf({ parameters }: FuzzedOperation, known: Known) {
  const names = parameters.filter((one) => one.in === "header").map(({ name }) => name);
  const members = names.map((name) => {
    const texts = known(name);
    const right = texts.length === 0 ? wildText : fc.nat().map((at) => nth(known(name), at));
    const either = fc.oneof({ weight: 9, arbitrary: right }, { weight: 1, arbitrary: wildText });
    const weight = needed.has(name) ? 30 : 1;
    const present = { weight, arbitrary: either };
    return [name, fc.oneof(present, { weight: 3, arbitrary: fc.constant(undefined) })] as const;
  });
  const accept = fc.option(
    fc.constantFrom(
      "application/json",
      "application/cbor",
      "text/event-stream",
      "application/cbor-seq",
      "*/*;q=0.1",
      "text/html, image/png;q=0.3",
      ";;;q=2,",
    ),
    { nil: undefined },
  );
  return fc.record({ ...Object.fromEntries(members), accept }).map((fields) => {
    const given = Object.entries(fields).filter(([, value]) => value !== undefined);
    return Object.fromEntries(given.map(([name, value]) => [name, headerText(value)]));
  });
}

function nth(texts: readonly string[], at: number): string {
  return texts[at % texts.length] ?? "";
}

interface Body {
  readonly type?: string;
  readonly body: Buffer | undefined;
}

const noBody: Body = { body: undefined };

function bodyOf({ body, method }: FuzzedOperation, known: Known): fc.Arbitrary<Body> {
  const [[type, { schema }] = [undefined, {}]] = Object.entries(body);
  const bytes = fc.uint8Array({ maxLength: 64 }).map((content) => Buffer.from(content));
  if (type === undefined) {
    const unwanted = bytes.map((content): Body => ({ type: "text/plain", body: content }));
    if (method === "GET" || method === "HEAD") return fc.constant(noBody);
    return fc.oneof(
      { weight: 9, arbitrary: fc.constant(noBody) },
      { weight: 1, arbitrary: unwanted },
    );
  }
  if (schema === undefined) {
    return fc.oneof(
      bytes.map((content) => ({ type, body: content })),
      bytes.map((content) => ({ type: "application/json", body: content })),
      fc.constant(noBody),
    );
  }
  const good = valuesOf(schema, known);
  const json = fc.oneof(
    { weight: 7, arbitrary: good },
    { weight: 2, arbitrary: nearly(good) },
    { weight: 1, arbitrary: wildJson },
  );
  const written = json.map((value) => ({ type, body: Buffer.from(JSON.stringify(value)) }));
  const broken = fc.oneof(
    fc.constantFrom('{"a":1,"a":2}', "{", "[1,", "nul", "\ufeff{}", '"\\ud800"', "{}{}", "1e400"),
    fc.constant("[".repeat(1_000)),
    wildText,
  );
  return fc.oneof(
    { weight: 12, arbitrary: written },
    { weight: 1, arbitrary: broken.map((text) => ({ type, body: Buffer.from(text) })) },
    { weight: 1, arbitrary: bytes.map((content) => ({ type, body: content })) },
    { weight: 1, arbitrary: fc.constant(noBody) },
  );
}

function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

/** A field's value as far as a client can send it at all (RFC 9110 §5.5). */
function headerText(value: unknown): string {
  return String(value)
    .replaceAll(/[^\t\u0020-\u007e\u0080-\u00ff]/g, "?")
    .slice(0, 2_000)
    .trim();
}
