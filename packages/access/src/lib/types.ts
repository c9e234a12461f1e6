import type { StoreErrorCode } from "@store/identity";
import type { EventLog } from "@store/events";

import type { Scope } from "./scope.ts";

/** Whoever a request comes from, and what that lets do. Times are RFC 3339 UTC, milliseconds. */
export interface Principal {
  /**
   * The opaque id that events name: `user:<uuid>`, `token:<uuid>` for an API token or the setup
   * token, `anonymous`, or what the operator of the instance gave.
   */
  readonly actor: string;
  readonly kind: PrincipalKind;
  /** The user that the credential belongs to. */
  readonly userId?: string;
  readonly username?: string;
  readonly scopes: readonly Scope[];
  readonly tokenId?: string;
  readonly sessionId?: string;
  /** When the credential that was shown ends. */
  readonly expiresAt?: string;
}

/**
 * - `anonymous`: no credential
 * - `user`: an access token of a session
 * - `token`: an API token
 * - `setup`: the setup token, which makes the first user and nothing else
 * - `local`: whoever has the instance itself at hand
 */
export type PrincipalKind = "anonymous" | "user" | "token" | "setup" | "local";

/** Where a request comes from. */
export interface Origin {
  /** The client's IP address; what fails is counted by it, an IPv6 one by its /64. */
  readonly address: string;
}

/** How to open the accounts of an instance. */
export interface OpenAccessOptions {
  /** The instance's log, which must have begun; the registry shares it. */
  readonly log: EventLog;
  /** Milliseconds since the epoch; the system's clock unless given. */
  readonly clock?: () => number;
  /** UUIDv7 texts; random ones unless given. */
  readonly ids?: () => string;
  /** Who events name for what the instance does by itself; `system` unless given. */
  readonly actor?: string;
  /** Who signs access tokens; `urn:store:<log id>` unless given, so that no two instances agree. */
  readonly issuer?: string;
  /** For whom access tokens are; the issuer unless given. */
  readonly audience?: string;
  /** How long an access token lives; 15 minutes unless given. */
  readonly accessTokenMs?: number;
  /** How long a session lives after it was last refreshed; 30 days unless given. */
  readonly refreshTokenMs?: number;
  /** How far the clocks of several servers may be apart; 30 seconds unless given. */
  readonly clockSkewMs?: number;
  /** Whether everybody may read every package without a credential; no unless given. */
  readonly anonymousRead?: boolean;
  readonly limits?: AccessLimits;
  /** How many refused requests are remembered; 10,000 unless given. */
  readonly refusalLimit?: number;
}

/** So many failures in so much time; the next attempt is refused before anything is looked at. */
export interface FailureLimit {
  readonly failures: number;
  readonly withinMs: number;
}

/** What bounds attempts. Each process counts for itself, in memory. */
export interface AccessLimits {
  /** Wrong passwords from one address; 30 in 10 minutes unless given. */
  readonly loginByAddress?: FailureLimit;
  /** Wrong passwords for one account; 10 in 10 minutes unless given. A right one forgets them. */
  readonly loginByAccount?: FailureLimit;
  /** Tokens of any kind from one address that are not accepted; 100 a minute unless given. */
  readonly tokenByAddress?: FailureLimit;
  /**
   * Logins of one user that succeed, and tokens and passwords that the user makes: 600 in 10 minutes
   * unless given. Each is an event, and the log keeps those. What needs `admin:*` is not counted.
   */
  readonly changesByUser?: FailureLimit;
  /** Addresses and accounts that are counted at once; 50,000 unless given. The oldest give way. */
  readonly keys?: number;
  /** Passwords that are hashed at once, 19 MiB each; 2 unless given. */
  readonly hashing?: number;
  /** Passwords that wait to be hashed; more are refused with `rate_limited`. 64 unless given. */
  readonly waiting?: number;
}

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** What logging in and refreshing give. **Both tokens are secrets**: never log or store them. */
export interface SessionSecrets {
  /** A JWT; proves the session for `accessSeconds`. */
  readonly accessToken: string;
  readonly accessSeconds: number;
  /** Works once: exchange it for new ones. */
  readonly refreshToken: string;
  readonly refreshSeconds: number;
  readonly sessionId: string;
}

/** Whom a credential stands for. */
export interface Me {
  readonly actor: string;
  readonly kind: PrincipalKind;
  readonly username?: string;
  readonly scopes: readonly string[];
  /** When the credential ends. */
  readonly expiresAt?: string;
}

export interface UserInfo {
  readonly id: string;
  readonly username: string;
  readonly scopes: readonly string[];
  readonly createdAt: string;
  readonly createdBy: string;
  readonly passwordChangedAt: string;
  readonly disabledAt?: string;
}

export interface CreateUserInput extends Credentials {
  /** None unless given. The first user gets `admin:*` and `metrics`, whatever is given. */
  readonly scopes?: readonly string[];
}

export interface CreateTokenInput {
  /** What it is for, 1 to 128 bytes. */
  readonly name: string;
  /** All that the caller, and the owner, may do unless given. */
  readonly scopes?: readonly string[];
  /** How long it lives; for ever unless given. */
  readonly expiresInMs?: number;
  /** The username of the user that it belongs to, for `admin:*`; the caller's unless given. */
  readonly owner?: string;
}

/** An API token, without the token itself. */
export interface TokenInfo {
  readonly id: string;
  readonly name: string;
  /** The username of the user that it belongs to. */
  readonly owner: string;
  readonly scopes: readonly string[];
  readonly createdAt: string;
  readonly expiresAt?: string;
  /** To the minute. */
  readonly lastUsedAt?: string;
  readonly revokedAt?: string;
}

/** A new API token. **`token` is a secret**, shown this once: only its hash is kept. */
export interface TokenWithSecret extends TokenInfo {
  readonly token: string;
}

/** A key that signs access tokens, without its private part. */
export interface KeyInfo {
  readonly id: string;
  readonly algorithm: string;
  readonly createdAt: string;
  /** It has signed nothing since; what it signed before stays valid until it expires. */
  readonly retiredAt?: string;
}

/** A request that was refused. Nothing in it may be a secret; the path has no query. */
export interface Refusal {
  readonly code: StoreErrorCode;
  readonly address: string;
  readonly actor: string;
  readonly method: string;
  readonly path: string;
  readonly requestId: string;
}

export interface RefusalInfo extends Refusal {
  readonly id: string;
  readonly refusedAt: string;
}

/** What a sweep of the accounts removed. */
export interface AccessSweepReport {
  readonly sessionsRemoved: number;
  readonly tokensRemoved: number;
  readonly keysRemoved: number;
}

/** What the process counted since it was opened, for its metrics. */
export interface AccessCounts {
  /** Refused requests that came faster than they are recorded, and were only counted. */
  readonly refusalsDropped: number;
  /** Passwords that are being hashed or wait for it. */
  readonly passwordsPending: number;
  readonly rateLimited: number;
}
