import type { LoadReport } from "../load/ledger.ts";

/** A request that a server did not answer, did not answer to the end, or answered with 5xx. */
export interface Trouble {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly url: string;
  readonly what: "no answer" | "cut off" | "status";
  readonly status?: number;
  readonly retryAfter?: string;
  /** The error of the connection, or what was asked for. */
  readonly why: string;
}

/** What a process of clients has to say that went to several servers. */
export interface RoamingReport extends LoadReport {
  readonly troubles: readonly Trouble[];
}

/** What one subscriber saw. */
export interface SubscriberReport {
  readonly name: string;
  /** The `seq` after which it began. */
  readonly since: number;
  /** The `seq` of the last event. */
  readonly last: number;
  readonly events: number;
  /** SHA-256 of the ids of all events, one after the other, in hexadecimal. */
  readonly idsSha256: string;
  readonly connections: number;
  /** What was out of order, twice or missing; the first of them. */
  readonly defects: readonly string[];
}
