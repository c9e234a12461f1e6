import * as v from "valibot";

import * as field from "../fields.ts";
import { present } from "../present.ts";

/** Whoever a credential stands for. */
export const meSchema = v.object({
  actor: field.described("The opaque id that events name."),
  kind: v.picklist(["anonymous", "user", "token", "setup", "local"]),
  username: v.optional(field.username),
  scopes: v.array(field.scope),
  expires_at: v.optional(field.time),
});
export type MeJson = v.InferOutput<typeof meSchema>;

export const loginSchema = v.strictObject({
  username: field.username,
  password: v.pipe(v.string(), v.description("12 to 256 characters.")),
});

/** What logging in and refreshing give. Both tokens are secrets. */
export const sessionSchema = v.object({
  access_token: v.string(),
  token_type: v.literal("Bearer"),
  expires_in: v.pipe(field.count, v.description("Seconds that the access token lives.")),
  refresh_token: v.string(),
  refresh_expires_in: field.count,
});
export type SessionJson = v.InferOutput<typeof sessionSchema>;

export const refreshSchema = v.strictObject({ refresh_token: v.string() });
export const logoutSchema = v.strictObject({ refresh_token: v.optional(v.string()) });

export const changePasswordSchema = v.strictObject({
  current_password: v.string(),
  new_password: v.string(),
});

/** A user. */
export const userSchema = v.object({
  id: field.id,
  username: field.username,
  scopes: v.array(field.scope),
  created_at: field.time,
  created_by: v.string(),
  password_changed_at: field.time,
  disabled_at: v.optional(field.time),
});
export type UserJson = v.InferOutput<typeof userSchema>;

export interface UserInfo {
  readonly id: string;
  readonly username: string;
  readonly scopes: readonly string[];
  readonly createdAt: string;
  readonly createdBy: string;
  readonly passwordChangedAt: string;
  readonly disabledAt?: string;
}

export const createUserSchema = v.strictObject({
  username: field.username,
  password: v.string(),
  scopes: v.optional(v.pipe(v.array(field.scope), v.maxLength(100))),
});
export const setScopesSchema = v.strictObject({
  scopes: v.pipe(v.array(field.scope), v.maxLength(100)),
});
export const setPasswordSchema = v.strictObject({ password: v.string() });

const tokenFields = {
  id: field.id,
  name: v.string(),
  owner: field.described("The user that it belongs to."),
  scopes: v.array(field.scope),
  created_at: field.time,
  expires_at: v.optional(field.time),
  last_used_at: v.optional(field.time),
  revoked_at: v.optional(field.time),
};

/** An API token, without the token itself. */
export const tokenSchema = v.object(tokenFields);
export type TokenJson = v.InferOutput<typeof tokenSchema>;

/** A new API token, with the token: it is shown this once. */
export const createdTokenSchema = v.object({ ...tokenFields, token: v.string() });
export type CreatedTokenJson = v.InferOutput<typeof createdTokenSchema>;

export interface TokenInfo {
  readonly id: string;
  readonly name: string;
  /** The username of the user that it belongs to. */
  readonly owner: string;
  readonly scopes: readonly string[];
  readonly createdAt: string;
  readonly expiresAt?: string;
  readonly lastUsedAt?: string;
  readonly revokedAt?: string;
}

export const createTokenSchema = v.strictObject({
  name: v.pipe(v.string(), v.minLength(1), v.maxLength(128)),
  scopes: v.optional(v.pipe(v.array(field.scope), v.maxLength(100))),
  expires_in: v.optional(
    v.pipe(v.number(), v.integer(), v.minValue(1), v.description("Seconds; absent: never.")),
  ),
});

/** A key that signs access tokens. */
export const keySchema = v.object({
  id: v.string(),
  algorithm: v.string(),
  created_at: field.time,
  retired_at: v.optional(field.time),
});
export type KeyJson = v.InferOutput<typeof keySchema>;

/** A request that was refused. */
export const refusalSchema = v.object({
  id: v.string(),
  refused_at: field.time,
  code: v.string(),
  address: v.string(),
  actor: v.string(),
  method: v.string(),
  path: v.string(),
  request_id: v.string(),
});
export type RefusalJson = v.InferOutput<typeof refusalSchema>;

export function encodeUser(user: UserInfo): UserJson {
  return {
    id: user.id,
    username: user.username,
    scopes: [...user.scopes],
    created_at: user.createdAt,
    created_by: user.createdBy,
    password_changed_at: user.passwordChangedAt,
    disabled_at: user.disabledAt,
  };
}

export function decodeUser(json: UserJson): UserInfo {
  return present({
    id: json.id,
    username: json.username,
    scopes: json.scopes,
    createdAt: json.created_at,
    createdBy: json.created_by,
    passwordChangedAt: json.password_changed_at,
    disabledAt: json.disabled_at,
  });
}

export function encodeToken(token: TokenInfo): TokenJson {
  return {
    id: token.id,
    name: token.name,
    owner: token.owner,
    scopes: [...token.scopes],
    created_at: token.createdAt,
    expires_at: token.expiresAt,
    last_used_at: token.lastUsedAt,
    revoked_at: token.revokedAt,
  };
}

export function decodeToken(json: TokenJson): TokenInfo {
  return present({
    id: json.id,
    name: json.name,
    owner: json.owner,
    scopes: json.scopes,
    createdAt: json.created_at,
    expiresAt: json.expires_at,
    lastUsedAt: json.last_used_at,
    revokedAt: json.revoked_at,
  });
}
