import type { Database } from "@store/database";
import type { EventLog, LogTransaction } from "@store/events";

import type { TokenRules } from "./credentials/access-token.ts";
import type { KeyRing } from "./credentials/key-ring.ts";
import type { FailureCounter } from "./failures.ts";
import type { PasswordHashing } from "./passwords/password-hashing.ts";
import type { PrincipalCache } from "./principal-cache.ts";
import type { RefusalRing } from "./refusals.ts";
import type { TokenUses } from "./token-uses.ts";

/** What everything about the accounts of one instance works with. */
export interface AccessInstance {
  readonly log: EventLog;
  readonly database: Database;
  readonly clock: () => number;
  readonly ids: () => string;
  /** Who events name for what the instance does by itself. */
  readonly actor: string;
  readonly rules: TokenRules;
  readonly refreshTokenMs: number;
  readonly anonymousRead: boolean;
  readonly hashing: PasswordHashing;
  readonly cache: PrincipalCache;
  readonly keys: KeyRing;
  readonly loginByAddress: FailureCounter;
  readonly loginByAccount: FailureCounter;
  readonly tokenByAddress: FailureCounter;
  /** What anybody with an account can do, and what the log keeps for ever. */
  readonly changesByUser: FailureCounter;
  readonly refusals: RefusalRing;
  readonly uses: TokenUses;
}

/**
 * Runs a command that changes who is let in, and forgets what was decided before, once the change is
 * durable.
 */
export async function change<T>(
  { log, cache }: Pick<AccessInstance, "log" | "cache">,
  actor: string,
  command: (tx: LogTransaction) => Promise<T>,
): Promise<T> {
  try {
    return await log.transact(actor, command);
  } finally {
    // After an error too: of a commit whose answer was lost nobody knows whether it was made.
    cache.clear();
  }
}
