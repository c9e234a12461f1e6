import {
  decodeToken,
  decodeUser,
  mapPage,
  present,
  type KeyJson,
  type MeJson,
  type Page,
  type RefusalJson,
  type TokenInfo,
  type UserInfo,
} from "@store/api";

import type { Caller } from "../http/caller.ts";
import { decodeSession, type Session } from "../session.ts";
import { flag, pageQuery, type PageOptions } from "./paging.ts";

/** Whom the credential stands for. */
export interface Me {
  /** The opaque id that events name. */
  readonly actor: string;
  readonly kind: MeJson["kind"];
  readonly username?: string;
  readonly scopes: readonly string[];
  readonly expiresAt?: string;
}

export interface CreatedToken extends TokenInfo {
  /** The secret itself, which is shown this once. */
  readonly token: string;
}

/** A key that signs access tokens. */
export interface KeyInfo {
  readonly id: string;
  readonly algorithm: string;
  readonly createdAt: string;
  readonly retiredAt?: string;
}

/** A request that the server refused. */
export interface RefusalInfo {
  readonly id: string;
  readonly refusedAt: string;
  readonly code: string;
  readonly address: string;
  readonly actor: string;
  readonly method: string;
  readonly path: string;
  readonly requestId: string;
}

/** Sessions, tokens and users. */
export interface AccountMethods {
  /** Begins a session, which the client uses and keeps alive from now on. */
  login(input: { readonly username: string; readonly password: string }): Promise<Session>;
  /** Ends the session; the client has no credential any more. */
  logout(): Promise<void>;
  me(): Promise<Me>;
  /** Ends every other session of the user. */
  changePassword(input: {
    readonly currentPassword: string;
    readonly newPassword: string;
  }): Promise<void>;
  createToken(input: {
    readonly name: string;
    /** All of the caller's unless given. */
    readonly scopes?: readonly string[];
    /** Never, unless given. */
    readonly expiresInSeconds?: number;
  }): Promise<CreatedToken>;
  listTokens(filter?: { readonly all?: boolean }, page?: PageOptions): Promise<Page<TokenInfo>>;
  revokeToken(tokenId: string): Promise<void>;
  createUser(input: {
    readonly username: string;
    readonly password: string;
    readonly scopes?: readonly string[];
  }): Promise<UserInfo>;
  listUsers(page?: PageOptions): Promise<Page<UserInfo>>;
  getUser(username: string): Promise<UserInfo>;
  disableUser(username: string): Promise<UserInfo>;
  enableUser(username: string): Promise<UserInfo>;
  setUserScopes(username: string, scopes: readonly string[]): Promise<UserInfo>;
  setUserPassword(username: string, password: string): Promise<void>;
  listKeys(page?: PageOptions): Promise<Page<KeyInfo>>;
  /** Signs with a new key from now on. */
  rotateKeys(): Promise<KeyInfo>;
  /** Newest first. */
  listRefusals(page?: PageOptions): Promise<Page<RefusalInfo>>;
}

export function accountMethods(caller: Caller): AccountMethods {
  return {
    ...sessionMethods(caller),
    ...tokenMethods(caller),
    ...userMethods(caller),
    ...keyMethods(caller),
  };
}

function sessionMethods({ call, credentials }: Caller) {
  return {
    async login({ username, password }) {
      const { json } = await call("login", { body: { username, password } });
      const session = decodeSession(json);
      credentials.adopt(session);
      return session;
    },
    async logout() {
      await call("logout", {
        body: present({ refresh_token: credentials.session?.refreshToken }),
        isRepeatable: true,
      });
      credentials.adopt(undefined);
    },
    async me() {
      const { json } = await call("getMe");
      const { actor, kind, username, scopes, expires_at } = json;
      return present({ actor, kind, username, scopes, expiresAt: expires_at });
    },
    async changePassword({ currentPassword, newPassword }) {
      await call("changePassword", {
        body: { current_password: currentPassword, new_password: newPassword },
      });
    },
  } satisfies Partial<AccountMethods>;
}

function tokenMethods({ call }: Caller) {
  return {
    async createToken({ name, scopes, expiresInSeconds }) {
      const { json } = await call("createToken", {
        body: present({ name, scopes: copied(scopes), expires_in: expiresInSeconds }),
      });
      return { ...decodeToken(json), token: json.token };
    },
    async listTokens({ all } = {}, page = {}) {
      const { json } = await call("listTokens", { query: { all: flag(all), ...pageQuery(page) } });
      return mapPage(json, decodeToken);
    },
    async revokeToken(tokenId) {
      await call("revokeToken", { params: { tokenId } });
    },
  } satisfies Partial<AccountMethods>;
}

function userMethods({ call }: Caller) {
  return {
    async createUser({ username, password, scopes }) {
      const { json } = await call("createUser", {
        body: present({ username, password, scopes: copied(scopes) }),
      });
      return decodeUser(json);
    },
    async listUsers(page = {}) {
      const { json } = await call("listUsers", { query: pageQuery(page) });
      return mapPage(json, decodeUser);
    },
    async getUser(username) {
      const { json } = await call("getUser", { params: { username } });
      return decodeUser(json);
    },
    async disableUser(username) {
      const { json } = await call("disableUser", { params: { username }, isRepeatable: true });
      return decodeUser(json);
    },
    async enableUser(username) {
      const { json } = await call("enableUser", { params: { username }, isRepeatable: true });
      return decodeUser(json);
    },
    async setUserScopes(username, scopes) {
      const body = { scopes: [...scopes] };
      const { json } = await call("setUserScopes", { params: { username }, body });
      return decodeUser(json);
    },
    async setUserPassword(username, password) {
      await call("setUserPassword", { params: { username }, body: { password } });
    },
  } satisfies Partial<AccountMethods>;
}

function keyMethods({ call }: Caller) {
  return {
    async listKeys(page = {}) {
      const { json } = await call("listKeys", { query: pageQuery(page) });
      return mapPage(json, decodeKey);
    },
    async rotateKeys() {
      const { json } = await call("rotateKeys");
      return decodeKey(json);
    },
    async listRefusals(page = {}) {
      const { json } = await call("listRefusals", { query: pageQuery(page) });
      return mapPage(json, decodeRefusal);
    },
  } satisfies Partial<AccountMethods>;
}

function copied(scopes: readonly string[] | undefined): string[] | undefined {
  return scopes === undefined ? undefined : [...scopes];
}

function decodeKey({ id, algorithm, created_at, retired_at }: KeyJson): KeyInfo {
  return present({ id, algorithm, createdAt: created_at, retiredAt: retired_at });
}

function decodeRefusal({ refused_at, request_id, ...rest }: RefusalJson): RefusalInfo {
  return { ...rest, refusedAt: refused_at, requestId: request_id };
}
