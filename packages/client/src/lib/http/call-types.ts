import type {
  BytesContent,
  JsonContent,
  Route,
  RouteBodyInput,
  RouteName,
  RouteParams,
  RouteQueryInput,
  Routes,
} from "@store/api";
import type { StoreErrorCode } from "@store/identity";
import type * as v from "valibot";

import type { AnswerHeaders, RequestBody } from "./transport.ts";

/** A field that is absent, may be absent, or must be there, as its type allows. */
type Field<Key extends string, T> = [T] extends [undefined]
  ? { readonly [K in Key]?: undefined }
  : object extends T
    ? { readonly [K in Key]?: T }
    : { readonly [K in Key]: T };

type BodyField<R extends Route> = R["body"] extends BytesContent
  ? { readonly body?: RequestBody | (() => RequestBody) }
  : Field<"body", RouteBodyInput<R>>;

type HeaderName<R extends Route> =
  | (keyof R["headers"] & string)
  | "accept"
  | "content-type"
  | "content-length";

/** What a call of a route takes; its types are the route's. */
export type CallInput<R extends Route> = Field<"params", RouteParams<R>> &
  Field<"query", RouteQueryInput<R>> &
  BodyField<R> & {
    readonly headers?: { readonly [Name in HeaderName<R>]?: string | undefined };
    readonly signal?: AbortSignal | undefined;
    /** Asks by `HEAD`, for a route of `GET`. */
    readonly isHead?: boolean;
    /**
     * Whether the request may be sent again where nobody knows whether it was carried out. Unless
     * given: yes for `GET`, `HEAD`, `PUT` and `DELETE`, and for what has an idempotency key.
     */
    readonly isRepeatable?: boolean;
    /** The error that tells, after such a repetition, that the request was carried out before. */
    readonly doneBefore?: StoreErrorCode;
  };

type JsonOfAnswer<A> = A extends { readonly content: JsonContent<infer S> }
  ? v.InferOutput<S> | (A extends { readonly alternatives: readonly unknown[] } ? undefined : never)
  : undefined;

/** The JSON of a route's answers; undefined where the answer is bytes, or has no body. */
export type AnswerJson<R extends Route> = {
  [Status in keyof R["answers"]]: JsonOfAnswer<R["answers"][Status]>;
}[keyof R["answers"]];

/** An answer that is no error, checked against the route's schema. */
export interface CallAnswer<R extends Route> {
  readonly status: number;
  readonly headers: AnswerHeaders;
  readonly json: AnswerJson<R>;
  /** The bytes of an answer that is not JSON, to be read once, or left by leaving the loop. */
  readonly bytes: AsyncIterable<Uint8Array>;
}

/** The arguments of a call: the input may be left out where nothing in it is required. */
type CallArguments<R extends Route> =
  object extends CallInput<R> ? [input?: CallInput<R>] : [input: CallInput<R>];

/**
 * Calls a route by its name.
 *
 * @throws {StoreError} that of the server's problem; `storage_unavailable` where no answer came,
 *   `internal` where it is none that the route allows, `aborted` once the signal fired
 */
export type Call = <Name extends RouteName>(
  name: Name,
  ...input: CallArguments<Routes[Name]>
) => Promise<CallAnswer<Routes[Name]>>;
