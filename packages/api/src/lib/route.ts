import type * as v from "valibot";

/** A schema without effects beside its value, from which JSON Schema can be made. */
export type Schema = v.GenericSchema<unknown, unknown>;

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "HEAD" | "OPTIONS";

/**
 * Who is answered. Whatever is refused by `read` looks as if it did not exist.
 *
 * - `public`: everybody
 * - `authenticated`: every credential that is accepted
 * - `reader`: whoever may read something; the answer holds only what the caller may read
 * - `writer`: whoever may write something
 * - `read`, `write`, `admin`: a scope over the `namespace/name` that the request is about
 * - `instance`: the scope `admin:*`
 * - `metrics`: the scope `metrics`
 * - `setup`: the scope `admin:*`, or the setup token while there is no user
 */
export type RouteAccess =
  | "public"
  | "authenticated"
  | "reader"
  | "writer"
  | "read"
  | "write"
  | "admin"
  | "instance"
  | "metrics"
  | "setup";

/** The media type of JSON texts with a line feed after each. */
export const linesMediaType = "application/x-ndjson";

/** JSON that a schema describes. */
export interface JsonContent<S extends Schema = Schema> {
  readonly kind: "json";
  readonly schema: S;
  /** Of a request: no body at all is the same as `{}`. */
  readonly optional?: true;
}

/** Bytes, or a text of a format of its own. */
export interface BytesContent {
  readonly kind: "bytes";
  readonly mediaTypes: readonly string[];
  /** What each line is, where the bytes are lines of JSON. */
  readonly line?: Schema;
}

export type Content = JsonContent | BytesContent;

/** An answer that is no error. Every error is a problem (RFC 9457) and needs no mention. */
export interface Answer {
  readonly description: string;
  readonly content?: Content;
  /** Alternatives to `content`, chosen by `Accept`. */
  readonly alternatives?: readonly BytesContent[];
  /** Header names with what they say. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** One operation of the HTTP API: method, path, who may, what goes in and what comes out. */
export interface Route {
  readonly method: Method;
  /** With parameters in braces, as in OpenAPI; `{path}` at the end takes slashes too. */
  readonly path: `/${string}`;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly access: RouteAccess;
  /** Of strings, one for each parameter in the path. */
  readonly params?: Schema;
  /** Of strings, or of what is transformed from them. */
  readonly query?: Schema;
  /** Request headers that mean something here, in lowercase; each may be absent. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Content;
  /** By status. */
  readonly answers: Readonly<Record<number, Answer>>;
}

type OutputOf<S> = S extends Schema ? v.InferOutput<S> : undefined;
type InputOf<S> = S extends Schema ? v.InferInput<S> : undefined;

/** The parameters of a route's path, as the server gets them. */
export type RouteParams<R extends Route> = OutputOf<R["params"]>;

/** The query of a route, as the server gets it. */
export type RouteQuery<R extends Route> = OutputOf<R["query"]>;

/** The query of a route, as a client sends it. */
export type RouteQueryInput<R extends Route> = InputOf<R["query"]>;

type JsonOf<C> = C extends JsonContent<infer S> ? v.InferOutput<S> : undefined;
type JsonInputOf<C> = C extends JsonContent<infer S> ? v.InferInput<S> : undefined;

/** The JSON of a request's body; undefined where it has none. */
export type RouteBody<R extends Route> = JsonOf<R["body"]>;

/** The JSON of a request's body, as a client gives it. */
export type RouteBodyInput<R extends Route> = JsonInputOf<R["body"]>;

/** The JSON of a route's answers. */
export type RouteAnswer<R extends Route> = {
  [Status in keyof R["answers"]]: R["answers"][Status] extends { readonly content: infer C }
    ? JsonOf<C>
    : undefined;
}[keyof R["answers"]];

/** Keeps the exact type of a route. */
export function defineRoute<const R extends Route>(route: R): R {
  return route;
}

/** JSON of a schema. */
export function json<const S extends Schema>(schema: S): JsonContent<S> {
  return { kind: "json", schema };
}

/** JSON of a schema, of which all members are optional; no body is `{}`. */
export function optionalJson<const S extends Schema>(schema: S): JsonContent<S> {
  return { kind: "json", schema, optional: true };
}

/** Bytes of one of some media types. */
export function bytes(...mediaTypes: readonly string[]): BytesContent {
  return { kind: "bytes", mediaTypes };
}

/** Lines of JSON, each of a schema, as they come about. */
export function lines(line: Schema): BytesContent {
  return { kind: "bytes", mediaTypes: [linesMediaType], line };
}
