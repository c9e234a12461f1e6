import type { RouteName } from "@store/api";

import type { Fixtures } from "./access-fixtures.ts";
import type { Row } from "./access-rows.ts";
import { operator } from "./access-world.ts";
import type { Caller } from "./access-callers.ts";

const reads = (params?: Readonly<Record<string, string>>): Row => ({
  ask: () => (params === undefined ? {} : { params }),
  leaves: "nothing",
});

/** The path of the user that requests are about; where there are no users, of one that is not. */
async function userParams(fixtures: Fixtures, { kind }: Caller): Promise<{ username: string }> {
  return { username: kind === "setup" ? "nobody" : (await fixtures.user()).username };
}

const own = (caller: Caller): string => caller.actor ?? "anonymous";

/** System, sessions, tokens, users and the instance: what is under no name. */
export const accountRows = {
  getHealth: reads(),
  getReadiness: reads(),
  getOpenApi: reads(),
  getDocs: reads(),
  getMetrics: reads(),

  login: {
    ask: async (fixtures) => {
      const { username, password, userId } = await fixtures.user();
      return { body: { username, password }, actor: `user:${userId}` };
    },
    leaves: "events",
  },
  refreshSession: {
    ask: async (fixtures) => ({ body: { refresh_token: await fixtures.refreshToken() } }),
    leaves: "nothing",
  },
  logout: {
    ask: async (fixtures) => {
      const { userId } = await fixtures.user();
      return {
        body: { refresh_token: await fixtures.refreshToken() },
        actor: `user:${userId}`,
      };
    },
    leaves: "events",
  },
  getMe: reads(),
  changePassword: {
    ask: (fixtures, { account }) => {
      const next = `another horse, number ${fixtures.next()}`;
      return {
        body: { current_password: account?.password ?? "none", new_password: next },
        succeeded: () => {
          if (account !== undefined) account.password = next;
        },
      };
    },
    leaves: "events",
  },
  createToken: {
    ask: () => ({ body: { name: "ci", expires_in: 60 } }),
    leaves: "events",
  },
  listTokens: { ...reads(), isUnsteady: true },
  revokeToken: {
    ask: async (fixtures, { account, kind }) => {
      if (kind === "setup") return { params: { tokenId: fixtures.published } };
      const owner = account ?? (await fixtures.user());
      return { params: { tokenId: await fixtures.tokenOf(owner) } };
    },
    leaves: "events",
  },

  createUser: {
    ask: (fixtures) => ({
      body: { username: `made-${fixtures.next()}`, password: "a whole stable of horses" },
    }),
    leaves: "events",
  },
  listUsers: reads(),
  getUser: {
    ask: async (fixtures, caller) => ({ params: await userParams(fixtures, caller) }),
    leaves: "nothing",
  },
  disableUser: {
    ask: async (fixtures, caller) => {
      const params = await userParams(fixtures, caller);
      const { access } = fixtures.server;
      if (caller.kind !== "setup") await access.enableUser(operator, params.username);
      return { params };
    },
    leaves: "events",
  },
  enableUser: {
    ask: async (fixtures, caller) => {
      const params = await userParams(fixtures, caller);
      const { access } = fixtures.server;
      if (caller.kind !== "setup") await access.disableUser(operator, params.username);
      return { params };
    },
    leaves: "events",
  },
  setUserScopes: {
    ask: async (fixtures, caller) => ({
      params: await userParams(fixtures, caller),
      body: { scopes: [`read:acme/app-${fixtures.next()}`] },
    }),
    leaves: "events",
  },
  setUserPassword: {
    ask: async (fixtures, caller) => {
      const password = `a horse, number ${fixtures.next()}`;
      return {
        params: await userParams(fixtures, caller),
        body: { password },
        succeeded: () => {
          void fixtures.user().then((user) => {
            user.password = password;
          });
        },
      };
    },
    leaves: "events",
  },
  listKeys: reads(),
  rotateKeys: { ask: () => ({}), leaves: "events" },
  listRefusals: { ...reads(), isUnsteady: true },
  getInstanceHealth: reads(),
  replayViews: { ask: () => ({ body: { check: true } }), leaves: "nothing" },
  sweep: { ask: () => ({}), leaves: "nothing" },
  verifyLog: { ask: () => ({}), leaves: "nothing" },

  listBackends: reads(),
  locateObject: { ask: ({ address }) => ({ params: { address } }), leaves: "nothing" },
  restoreObject: {
    ask: async (fixtures) => ({
      params: { address: await fixtures.archivedObject() },
      body: { days: 1 },
    }),
    leaves: "events",
  },
  // Of what is in order, and of a backend that is empty, there is nothing to record.
  replicateObjects: { ask: () => ({ body: { to: "primary" } }), leaves: "nothing" },
  verifyObjects: { ask: () => ({ body: { backend: "spare" } }), leaves: "nothing" },
  evacuateObjects: { ask: () => ({ body: { from: "spare" } }), leaves: "nothing" },

  registerSchema: {
    ask: (fixtures) => ({
      body: { name: `schema-${fixtures.next()}`, schema: { type: "object" } },
    }),
    leaves: "events",
  },
  listSchemas: reads(),
  getSchema: reads({ reference: "build" }),
  listRetentionClasses: reads(),
  listEvents: reads(),
  getLogHead: reads(),

  getUploadOptions: reads(),
  createUpload: {
    ask: () => ({ headers: { "tus-resumable": "1.0.0", "upload-length": "5" } }),
    leaves: "nothing",
  },
  listUploads: reads(),
  getUpload: {
    ask: async (fixtures, caller) => ({ params: { uploadId: await fixtures.upload(own(caller)) } }),
    leaves: "nothing",
  },
  headUpload: {
    ask: async (fixtures, caller) => ({
      params: { uploadId: await fixtures.upload(own(caller)) },
      headers: { "tus-resumable": "1.0.0" },
    }),
    leaves: "nothing",
  },
  appendUpload: {
    ask: async (fixtures, caller) => ({
      params: { uploadId: await fixtures.upload(own(caller)) },
      headers: {
        "tus-resumable": "1.0.0",
        "upload-offset": "0",
        "content-type": "application/offset+octet-stream",
      },
      body: Buffer.from("bytes"),
    }),
    leaves: "nothing",
  },
  cancelUpload: {
    ask: async (fixtures, caller) => ({
      params: { uploadId: await fixtures.upload(own(caller)) },
      headers: { "tus-resumable": "1.0.0" },
    }),
    leaves: "nothing",
  },
} as const satisfies Partial<Record<RouteName, Row>>;
