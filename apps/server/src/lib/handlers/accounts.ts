import type { Access, KeyInfo, RefusalInfo } from "@store/access";
import { encodeUser, mapPage, present, type KeyJson, type RefusalJson } from "@store/api";

import type { Handlers } from "../http/handler.ts";

type AccountRoutes =
  | "createUser"
  | "listUsers"
  | "getUser"
  | "disableUser"
  | "enableUser"
  | "setUserScopes"
  | "setUserPassword"
  | "listKeys"
  | "rotateKeys"
  | "listRefusals";

/** Users, signing keys and refused requests. */
export function accountHandlers(access: Access): Handlers<AccountRoutes> {
  return {
    createUser: async ({ principal, body: { username, password, scopes } }) => {
      const input = { username, password, ...(scopes === undefined ? {} : { scopes }) };
      return { status: 201, json: encodeUser(await access.createUser(principal, input)) };
    },

    listUsers: async ({ principal, query }) => ({
      status: 200,
      json: mapPage(await access.listUsers(principal, present(query)), encodeUser),
    }),

    getUser: async ({ principal, params }) => ({
      status: 200,
      json: encodeUser(await access.getUser(principal, params.username)),
    }),

    disableUser: async ({ principal, params }) => ({
      status: 200,
      json: encodeUser(await access.disableUser(principal, params.username)),
    }),

    enableUser: async ({ principal, params }) => ({
      status: 200,
      json: encodeUser(await access.enableUser(principal, params.username)),
    }),

    setUserScopes: async ({ principal, params, body }) => ({
      status: 200,
      json: encodeUser(await access.setScopes(principal, params.username, body.scopes)),
    }),

    setUserPassword: async ({ principal, params, body }) => {
      await access.setPassword(principal, params.username, body.password);
      return { status: 204 };
    },

    listKeys: async ({ principal, query }) => ({
      status: 200,
      json: mapPage(await access.listKeys(principal, present(query)), keyJson),
    }),

    rotateKeys: async ({ principal }) => ({
      status: 201,
      json: keyJson(await access.rotateKey(principal)),
    }),

    listRefusals: async ({ principal, query }) => ({
      status: 200,
      json: mapPage(await access.listRefusals(principal, present(query)), refusalJson),
    }),
  };
}

function keyJson({ id, algorithm, createdAt, retiredAt }: KeyInfo): KeyJson {
  return { id, algorithm, created_at: createdAt, retired_at: retiredAt };
}

function refusalJson(refusal: RefusalInfo): RefusalJson {
  const { id, refusedAt, code, address, actor, method, path, requestId } = refusal;
  return { id, refused_at: refusedAt, code, address, actor, method, path, request_id: requestId };
}
