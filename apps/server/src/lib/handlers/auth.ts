import type { Access, SessionSecrets } from "@store/access";
import { encodeToken, mapPage, present, type SessionJson } from "@store/api";

import type { Handlers } from "../http/handler.ts";

type AuthRoutes =
  | "login"
  | "refreshSession"
  | "logout"
  | "getMe"
  | "changePassword"
  | "createToken"
  | "listTokens"
  | "revokeToken";

/** Sessions, and the API tokens of whoever calls. */
export function authHandlers(access: Access): Handlers<AuthRoutes> {
  return {
    login: async ({ body, address }) => ({
      status: 200,
      json: sessionJson(await access.login(body, { address })),
    }),

    refreshSession: async ({ body, address }) => ({
      status: 200,
      json: sessionJson(await access.refresh(body.refresh_token, { address })),
    }),

    logout: async ({ body: { refresh_token: refreshToken }, header, address }) => {
      const session =
        refreshToken === undefined
          ? await access.authenticate(header("authorization"), { address })
          : { refreshToken };
      await access.logout(session);
      return { status: 204 };
    },

    getMe: async ({ principal }) => {
      const { actor, kind, username, scopes, expiresAt } = await access.me(principal);
      const json = { actor, kind, username, scopes: [...scopes], expires_at: expiresAt };
      return { status: 200, json };
    },

    changePassword: async ({ principal, body, address }) => {
      const { current_password: currentPassword, new_password: newPassword } = body;
      await access.changePassword(principal, { currentPassword, newPassword }, { address });
      return { status: 204 };
    },

    createToken: async ({ principal, body: { name, scopes, expires_in: seconds } }) => {
      const { token, ...info } = await access.createToken(principal, {
        name,
        ...(scopes === undefined ? {} : { scopes }),
        ...(seconds === undefined ? {} : { expiresInMs: seconds * 1_000 }),
      });
      return { status: 201, json: { ...encodeToken(info), token } };
    },

    listTokens: async ({ principal, query }) => ({
      status: 200,
      json: mapPage(await access.listTokens(principal, present(query)), encodeToken),
    }),

    revokeToken: async ({ principal, params }) => {
      await access.revokeToken(principal, params.tokenId);
      return { status: 204 };
    },
  };
}

function sessionJson(session: SessionSecrets): SessionJson {
  return {
    access_token: session.accessToken,
    token_type: "Bearer",
    expires_in: session.accessSeconds,
    refresh_token: session.refreshToken,
    refresh_expires_in: session.refreshSeconds,
  };
}
