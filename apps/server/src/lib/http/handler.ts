import type { Access, Principal } from "@store/access";
import type {
  Content,
  Route,
  RouteBody,
  RouteName,
  RouteParams,
  RouteQuery,
  Routes,
} from "@store/api";
import type { HttpBindings } from "@hono/node-server";
import type { AddedFile, Registry } from "@store/registry";
import type { Context } from "hono";
import type * as v from "valibot";

import type { EventFollowers } from "../operation/event-followers.ts";
import type { Problem } from "../problem.ts";

/** What handlers work with; the same for every request. */
export interface Service {
  readonly registry: Registry;
  readonly access: Access;
  /** Absent where nothing is measured. */
  readonly metrics?: ServiceMetrics;
  /** Who follows the log through this process; known only here unless given. */
  readonly followers?: EventFollowers;
}

/** What handlers tell those who measure, and what they give them. */
export interface ServiceMetrics {
  text(): Promise<string>;
  fileAdded(file: Pick<AddedFile, "deduplicated" | "sizeBytes">): void;
}

/** One request, parsed and admitted. */
export interface Exchange<R extends Route = Route> {
  readonly params: RouteParams<R>;
  readonly query: RouteQuery<R>;
  /** The body's JSON; undefined where the route takes none, or bytes. */
  readonly body: RouteBody<R>;
  readonly principal: Principal;
  /** The registry as far as the caller may use it: it refuses everything else. */
  readonly registry: Registry;
  readonly requestId: string;
  /** Where the client is, as far as the proxies that are trusted say so. */
  readonly address: string;
  /** Aborted once the client is gone, or the server ends what outlived its closing. */
  readonly signal: AbortSignal;
  /** Aborted as soon as the server begins to close: what has no end of its own ends then. */
  readonly closing: AbortSignal;
  /** A request header, by its lowercase name. */
  readonly header: (name: string) => string | undefined;
  /** Whether the answer's body is left out. */
  readonly isHead: boolean;
  /** The request's bytes, by the chunk that the socket gave. */
  readonly bytes: AsyncIterable<Uint8Array>;
  /** The problem that tells of an error once the answer has begun; logged as others are. */
  readonly problemOf: (error: unknown) => Problem;
  readonly context: Context<{ Bindings: HttpBindings }>;
}

type JsonOf<C> = C extends { readonly kind: "json"; readonly schema: infer S }
  ? S extends v.GenericSchema
    ? v.InferOutput<S>
    : never
  : undefined;

/** An answer of JSON, or without a body. */
type PlainReply<R extends Route> = {
  [Status in keyof R["answers"] & number]: {
    readonly status: Status;
    readonly headers?: Readonly<Record<string, string>>;
  } & (R["answers"][Status] extends { readonly content: infer C extends Content }
    ? C["kind"] extends "json"
      ? { readonly json: JsonOf<C> }
      : { readonly json?: never }
    : { readonly json?: never });
}[keyof R["answers"] & number];

/** An answer of bytes; `body` is read only if the client takes it. */
export interface BytesReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Absent for an answer without a body. A text is sent in one piece with the header. */
  readonly bytes?: AsyncIterable<Uint8Array> | Uint8Array | string;
}

export type Reply<R extends Route> = PlainReply<R> | BytesReply;

/** Answers one operation. What it throws becomes a problem. */
export type Handler<Name extends RouteName> = (
  exchange: Exchange<Routes[Name]>,
) => Promise<Reply<Routes[Name]>>;

/** Handlers for some operations. */
export type Handlers<Names extends RouteName = RouteName> = {
  readonly [Name in Names]: Handler<Name>;
};
