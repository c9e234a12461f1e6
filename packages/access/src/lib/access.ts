import type { Page, PageOptions } from "@store/registry";

import type {
  AccessCounts,
  AccessSweepReport,
  CreateTokenInput,
  CreateUserInput,
  Credentials,
  KeyInfo,
  Me,
  Origin,
  Principal,
  Refusal,
  RefusalInfo,
  SessionSecrets,
  TokenInfo,
  TokenWithSecret,
  UserInfo,
} from "./types.ts";

/**
 * The accounts of one instance. Whoever calls is given as a {@link Principal}; what that may not do
 * is `permission_denied`, or `unauthenticated` without a credential. Changes are events of the log,
 * in the transaction that made them, and hold no secret.
 */
export interface Access {
  /**
   * Whom an `Authorization` header stands for: `Bearer` with an access token, an API token or the
   * setup token. Without one it is nobody, who may read if the instance is open to everybody.
   * What was decided is remembered for 2 seconds: a session, token or user that ends stops at once
   * in this process, and within that time in others.
   *
   * @throws {StoreError} `unauthenticated`; `rate_limited` after too many failures, with the
   *   seconds to wait as `context.limit`
   */
  authenticate(authorization: string | undefined, from: Origin): Promise<Principal>;

  /**
   * The setup token of an instance without users, which makes the first of them. It is given once:
   * afterwards, and where there is a user, the answer is undefined. `renew` gives a new one, and the
   * one before is dead. **It is a secret.**
   */
  setupToken(options?: { readonly renew?: boolean }): Promise<string | undefined>;

  /**
   * Begins a session. Whether the user is unknown, disabled or the password wrong cannot be told
   * from the answer, nor from how long it takes.
   *
   * @throws {StoreError} `unauthenticated`, `rate_limited`
   */
  login(credentials: Credentials, from: Origin): Promise<SessionSecrets>;
  /**
   * Exchanges a refresh token for new tokens. Each works once: one that is used again ends its
   * session, since one of the two who had it is not the user. Clients refresh one at a time.
   *
   * @throws {StoreError} `unauthenticated`, `rate_limited`
   */
  refresh(refreshToken: string, from: Origin): Promise<SessionSecrets>;
  /** Ends the session of a refresh token, or the caller's. That it had ended before is success. */
  logout(session: { readonly refreshToken: string } | Principal): Promise<void>;
  /**
   * Changes the caller's own password and ends every other session of the user. API tokens stay.
   *
   * @throws {StoreError} `permission_denied` unless in a session; `unauthenticated` where the
   *   current password is wrong; `invalid_password`; `rate_limited`
   */
  changePassword(
    by: Principal,
    passwords: { readonly currentPassword: string; readonly newPassword: string },
    from: Origin,
  ): Promise<void>;
  /** @throws {StoreError} `unauthenticated` without a credential */
  me(by: Principal): Promise<Me>;

  /**
   * Makes an API token of the caller. An API token makes others only with `admin:*`, so that a
   * leaked one ends when it is revoked.
   *
   * @throws {StoreError} `permission_denied` for scopes that the caller or the owner lacks;
   *   `limit_exceeded` above 1,000 living tokens of one user; `rate_limited`
   */
  createToken(by: Principal, input: CreateTokenInput): Promise<TokenWithSecret>;
  /** The caller's tokens, oldest first; with `all`, for `admin:*`, everybody's. */
  listTokens(
    by: Principal,
    options?: PageOptions & { readonly all?: boolean },
  ): Promise<Page<TokenInfo>>;
  /**
   * Revokes one of the caller's tokens; for `admin:*`, anybody's. Repeating it is success. An API
   * token without `admin:*` revokes itself only: one that leaked ends no others.
   */
  revokeToken(by: Principal, tokenId: string): Promise<void>;

  /**
   * Makes a user: with `admin:*`, or the first one with the setup token.
   *
   * @throws {StoreError} `user_exists`, `invalid_name`, `invalid_password`, `permission_denied`;
   *   `unauthenticated` for a setup token that has been used
   */
  createUser(by: Principal, input: CreateUserInput): Promise<UserInfo>;
  getUser(by: Principal, username: string): Promise<UserInfo>;
  /** In order of username. */
  listUsers(by: Principal, page?: PageOptions): Promise<Page<UserInfo>>;
  /** Refuses the user's password and tokens and ends all sessions. Repeating it is success. */
  disableUser(by: Principal, username: string): Promise<UserInfo>;
  /** Takes that back; the API tokens work again, the sessions have ended. */
  enableUser(by: Principal, username: string): Promise<UserInfo>;
  setScopes(by: Principal, username: string, scopes: readonly string[]): Promise<UserInfo>;
  /** Sets a password and ends all sessions of the user. */
  setPassword(by: Principal, username: string, password: string): Promise<void>;

  /** Oldest first. */
  listKeys(by: Principal, page?: PageOptions): Promise<Page<KeyInfo>>;
  /** Signs with a new key from now on. Tokens of the older ones stay valid until they expire. */
  rotateKey(by: Principal): Promise<KeyInfo>;

  /**
   * Notes a refused request. Waits for nothing and never throws: what comes too fast to be written
   * is counted only, and the oldest give way to the newest.
   */
  recordRefusal(refusal: Refusal): void;
  /** Newest first. */
  listRefusals(by: Principal, page?: PageOptions): Promise<Page<RefusalInfo>>;

  /** Removes sessions that have ended, tokens that ended 30 days ago, and keys past their use. */
  sweep(): Promise<AccessSweepReport>;
  counts(): AccessCounts;
  /** Writes what is still to be written. The log stays open. Idempotent. */
  close(): Promise<void>;
}
