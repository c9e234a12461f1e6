import * as v from "valibot";

import * as field from "../fields.ts";
import * as account from "../resources/account.ts";
import { defineRoute, json, optionalJson } from "../route.ts";

const tag = "Access";
const session = { description: "A session.", content: json(account.sessionSchema) };
const tokenParams = v.object({ tokenId: field.id });

/** Logging in, and the tokens of whoever calls. */
export const authRoutes = {
  login: defineRoute({
    method: "POST",
    path: "/auth/login",
    tag,
    summary: "Begin a session with a password",
    access: "public",
    body: json(account.loginSchema),
    answers: { 200: session },
  }),
  refreshSession: defineRoute({
    method: "POST",
    path: "/auth/refresh",
    tag,
    summary: "Exchange a refresh token for new tokens",
    description: "Each refresh token works once; using one again ends its session.",
    access: "public",
    body: json(account.refreshSchema),
    answers: { 200: session },
  }),
  logout: defineRoute({
    method: "POST",
    path: "/auth/logout",
    tag,
    summary: "End a session",
    description: "The session of the refresh token in the body, else that of the access token.",
    access: "public",
    body: optionalJson(account.logoutSchema),
    answers: { 204: { description: "It has ended, or had before." } },
  }),
  getMe: defineRoute({
    method: "GET",
    path: "/auth/me",
    tag,
    summary: "Say whom the credential stands for",
    access: "authenticated",
    answers: { 200: { description: "The caller.", content: json(account.meSchema) } },
  }),
  changePassword: defineRoute({
    method: "POST",
    path: "/auth/change-password",
    tag,
    summary: "Change one's own password",
    description: "Ends every other session of the user.",
    access: "authenticated",
    body: json(account.changePasswordSchema),
    answers: { 204: { description: "It is changed." } },
  }),
  createToken: defineRoute({
    method: "POST",
    path: "/api/v1/tokens",
    tag,
    summary: "Make an API token",
    description: "Its scopes are within the caller's; without any it gets all of the caller's.",
    access: "authenticated",
    body: json(account.createTokenSchema),
    answers: {
      201: {
        description: "The token, which is shown this once.",
        content: json(account.createdTokenSchema),
      },
    },
  }),
  listTokens: defineRoute({
    method: "GET",
    path: "/api/v1/tokens",
    tag,
    summary: "List one's API tokens",
    description: "Whoever has `admin:*` may list those of everybody with `all=true`.",
    access: "authenticated",
    query: v.object({ ...field.pageQuery, all: v.optional(field.flagInQuery) }),
    answers: {
      200: { description: "A page.", content: json(field.pageOf(account.tokenSchema)) },
    },
  }),
  revokeToken: defineRoute({
    method: "DELETE",
    path: "/api/v1/tokens/{tokenId}",
    tag,
    summary: "Revoke an API token",
    access: "authenticated",
    params: tokenParams,
    answers: { 204: { description: "It is revoked, or was before." } },
  }),
};
