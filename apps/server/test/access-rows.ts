import type { RouteName } from "@store/api";
import type { StoreErrorCode } from "@store/identity";

import type { Caller } from "./access-callers.ts";
import { accountRows } from "./access-rows-accounts.ts";
import { packageRows } from "./access-rows-packages.ts";
import type { Fixtures } from "./access-fixtures.ts";

/** A request that succeeds with enough rights. */
export interface Asked {
  /** What stands for the parameters of the path. */
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON, but bytes and texts as they are. */
  readonly body?: unknown;
  /** Whom events name, where it is not the caller. */
  readonly actor?: string;
  /** Called once it has succeeded. */
  readonly succeeded?: () => void;
}

/** One operation of the table. */
export interface Row {
  /** Makes what the request is about anew, so that it has not been used up. */
  readonly ask: (fixtures: Fixtures, caller: Caller) => Promise<Asked> | Asked;
  /** Whether success is told in the log: what only reads leaves nothing, nor do uploads. */
  readonly leaves: "events" | "nothing";
  /**
   * What the absence of a thing is called, where it is not `package_not_found`; `success` where
   * that it is absent is no error.
   */
  readonly absence?: StoreErrorCode | "success";
  /** The answer differs from one moment to the next, and so does its length. */
  readonly isUnsteady?: true;
}

/** A row for every operation: one without does not compile. */
export const rows: Readonly<Record<RouteName, Row>> = { ...accountRows, ...packageRows };
