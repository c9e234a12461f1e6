import { StoreError } from "@store/identity";
import { uuidv7 } from "uuidv7";

import type { Access } from "./access.ts";
import { authenticate } from "./authenticate.ts";
import { ensureKey, keyCommands } from "./commands/keys.ts";
import { sessionCommands } from "./commands/sessions.ts";
import { tokenCommands } from "./commands/tokens.ts";
import { userCommands } from "./commands/users.ts";
import { KeyRing } from "./credentials/key-ring.ts";
import { DeferredWrites } from "./deferred-writes.ts";
import { FailureCounter } from "./failures.ts";
import type { AccessInstance } from "./instance.ts";
import { PasswordHashing } from "./passwords/password-hashing.ts";
import { PrincipalCache } from "./principal-cache.ts";
import { lacking, requireAccess } from "./principal.ts";
import { RefusalRing } from "./refusals.ts";
import { formatScope } from "./scope.ts";
import { sweepAccounts } from "./sweep.ts";
import { TokenUses } from "./token-uses.ts";
import type { FailureLimit, OpenAccessOptions } from "./types.ts";

const second = 1_000;
const minute = 60 * second;
const day = 24 * 60 * minute;
const longestMs = 10 * 365 * day;

/**
 * Opens the accounts of an instance, and makes its first signing key where it has none.
 *
 * @throws {StoreError} `instance_not_found` where the log has not begun: open the registry first;
 *   `invalid_argument` for an option out of range
 */
export async function openAccess(options: OpenAccessOptions): Promise<Access> {
  const instance = await openInstance(options);
  await ensureKey(instance);
  return accessOf(instance);
}

interface OpenedInstance extends AccessInstance {
  readonly counted: { rateLimited: number };
}

async function openInstance(options: OpenAccessOptions): Promise<OpenedInstance> {
  const { log, clock = Date.now, ids = uuidv7, actor = "system", limits = {} } = options;
  const { accessTokenMs = 15 * minute, refreshTokenMs = 30 * day } = options;
  const { clockSkewMs = 30 * second, refusalLimit = 10_000 } = options;
  assertInteger("accessTokenMs", accessTokenMs, second, day);
  assertInteger("refreshTokenMs", refreshTokenMs, second, longestMs);
  assertInteger("clockSkewMs", clockSkewMs, 0, 10 * minute);
  assertInteger("refusalLimit", refusalLimit, 1, 1_000_000);
  const { keys: mostKeys = 50_000, hashing = 2, waiting = 64 } = limits;
  assertInteger("limits.keys", mostKeys, 1, 10_000_000);
  assertInteger("limits.hashing", hashing, 1, 64);
  assertInteger("limits.waiting", waiting, 1, 100_000);
  const counted = { rateLimited: 0 };
  const counter = (limit: FailureLimit, what?: string): FailureCounter => {
    assertInteger("failures of a limit", limit.failures, 1, 1_000_000);
    assertInteger("withinMs of a limit", limit.withinMs, second, day);
    const onRefused = (): void => {
      counted.rateLimited += 1;
    };
    return new FailureCounter(limit, mostKeys, onRefused, what);
  };
  const { logId } = await log.head();
  const { issuer = `urn:store:${logId}` } = options;
  const { audience = issuer } = options;
  const { database } = log;
  const login = { failures: 30, withinMs: 10 * minute };
  return {
    log,
    database,
    clock,
    ids,
    actor,
    rules: { issuer, audience, accessTokenMs, clockSkewMs, clock },
    refreshTokenMs,
    anonymousRead: options.anonymousRead ?? false,
    hashing: new PasswordHashing({ hashing, waiting }),
    cache: new PrincipalCache(clock),
    keys: new KeyRing(database, clock),
    loginByAddress: counter(limits.loginByAddress ?? login),
    loginByAccount: counter(limits.loginByAccount ?? { ...login, failures: 10 }),
    tokenByAddress: counter(limits.tokenByAddress ?? { failures: 100, withinMs: minute }),
    changesByUser: counter(
      limits.changesByUser ?? { failures: 600, withinMs: 10 * minute },
      "logins, new tokens and new passwords",
    ),
    refusals: new RefusalRing(database, clock, refusalLimit),
    uses: new TokenUses(database, clock),
    counted,
  };
}

function accessOf(instance: OpenedInstance): Access {
  const { refusals, uses, hashing, counted } = instance;
  const deferred = new DeferredWrites([refusals, uses]);
  return {
    authenticate: async (authorization, from) => {
      const principal = await authenticate(instance, authorization, from);
      deferred.schedule();
      return principal;
    },
    ...sessionCommands(instance),
    ...tokenCommands(instance),
    ...userCommands(instance),
    ...keyCommands(instance),
    me: async (by) => {
      if (by.kind === "anonymous") throw lacking(by, "");
      const { actor, kind, username, expiresAt } = by;
      return {
        actor,
        kind,
        ...(username === undefined ? {} : { username }),
        scopes: by.scopes.map(formatScope),
        ...(expiresAt === undefined ? {} : { expiresAt }),
      };
    },
    recordRefusal: (refusal) => {
      refusals.add(refusal);
      deferred.schedule();
    },
    listRefusals: async (by, page) => {
      requireAccess(by, "instance");
      return await refusals.list(page);
    },
    sweep: () => sweepAccounts(instance),
    counts: () => ({
      refusalsDropped: refusals.dropped,
      passwordsPending: hashing.pending,
      rateLimited: counted.rateLimited,
    }),
    close: () => deferred.close(),
  };
}

function assertInteger(what: string, value: number, least: number, most: number): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  throw new StoreError(
    "invalid_argument",
    `${what} must be a whole number from ${least} to ${most}, not ${String(value)}.`,
    { context: { limit: most, actual: String(value) } },
  );
}
