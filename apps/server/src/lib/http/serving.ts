import type { Principal } from "@store/access";
import type { RouteName } from "@store/api";
import type { Registry } from "@store/registry";

import type { Log } from "../log.ts";
import type { TrustedProxies } from "./client-address.ts";
import type { Service } from "./handler.ts";
import type { HttpLimits } from "./limits.ts";
import type { LiveExchanges } from "./live-exchanges.ts";
import type { ResponseHeaders } from "./response-headers.ts";

/** A request that was answered, or could not be, for logs and metrics. It holds no secret. */
export interface AnsweredRequest {
  readonly requestId: string;
  /** Absent where no operation has the path and method. */
  readonly operation?: RouteName;
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly address: string;
  /** Absent where the caller was not let in, or nobody asked who it is. */
  readonly actor?: string;
  readonly status: number;
  /** The error's code, where the answer is a problem. */
  readonly code?: string;
  readonly durationMs: number;
  /** The caller's place in a trace, as it said. */
  readonly traceParent?: string;
  readonly receivedBytes: number;
  readonly sentBytes: number;
  /** `gone`: the client left before the end; `cut`: the answer failed on its way. */
  readonly outcome: "whole" | "gone" | "cut";
}

/** What all requests of an app share. */
export interface Serving {
  readonly service: Service;
  readonly limits: HttpLimits;
  readonly headers: ResponseHeaders;
  readonly proxies: TrustedProxies;
  readonly exchanges: LiveExchanges;
  /** What each caller who is known may use. */
  readonly guarded: WeakMap<Principal, Registry>;
  /** Aborted as soon as the server begins to close. */
  readonly closing: AbortSignal;
  readonly log: Log | undefined;
  readonly onAnswered: ((request: AnsweredRequest) => void) | undefined;
}
