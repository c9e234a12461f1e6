import type { ScopeLevel } from "@store/access";

import {
  expiredToken,
  forger,
  openAccount,
  operator,
  revokedToken,
  strangeKey,
  type Account,
} from "./access-world.ts";
import type { WholeServer } from "./whole-server.ts";

/** Somebody who calls, and all that the rule of {@link expectedAnswer} looks at. */
export interface Caller {
  readonly name: string;
  /** The `Authorization` header; absent for whoever shows no credential. */
  readonly authorization?: string;
  readonly kind: "nobody" | "refused" | "token" | "session" | "setup";
  /** The greatest level over `acme/app`. */
  readonly overApp: ScopeLevel | "none";
  /** The greatest level over any name. */
  readonly overSome: ScopeLevel | "none";
  readonly isInstanceAdmin: boolean;
  readonly readsMetrics: boolean;
  /** One of the few that stand for all where there is no time for everybody. */
  readonly isTypical: boolean;
  /** What events name; absent where there is no such thing. */
  readonly actor?: string;
  readonly account?: Account;
}

const nothing = {
  overApp: "none",
  overSome: "none",
  isInstanceAdmin: false,
  readsMetrics: false,
  isTypical: true,
} as const;

const levels: readonly ScopeLevel[] = ["read", "write", "admin"];

/** Every caller of the table, of an instance that has users. */
export async function openCallers(server: WholeServer): Promise<Caller[]> {
  return [
    { ...nothing, name: "nobody", kind: "nobody" },
    ...(await refusedCallers(server)),
    ...(await acceptedCallers(server)),
  ];
}

async function acceptedCallers(server: WholeServer): Promise<Caller[]> {
  const callers: Caller[] = [];
  const add = async (scope: string, powers: Partial<Caller>): Promise<void> => {
    const account = await openAccount(server, scope);
    const shared = { ...nothing, ...powers, account };
    callers.push(
      {
        ...shared,
        name: `an API token of ${scope}`,
        kind: "token",
        authorization: `Bearer ${account.token}`,
        actor: `token:${account.tokenId}`,
      },
      {
        ...shared,
        isTypical: false,
        name: `a session of ${scope}`,
        kind: "session",
        authorization: `Bearer ${account.accessToken}`,
        actor: `user:${account.userId}`,
      },
    );
  };
  for (const level of levels) {
    await add(`${level}:acme/*`, { overApp: level, overSome: level });
    // Another namespace, and names that begin as the right one does.
    for (const pattern of ["beta/*", "acme2/*", "acme/app-*"]) {
      await add(`${level}:${pattern}`, { overSome: level, isTypical: pattern === "beta/*" });
    }
  }
  await add("metrics", { readsMetrics: true });
  await add("admin:*", { overApp: "admin", overSome: "admin", isInstanceAdmin: true });
  return callers;
}

/** Credentials of somebody who might do everything, each wrong in one way. */
async function refusedCallers(server: WholeServer): Promise<Caller[]> {
  // It ends with the first user.
  const setup = (await server.access.setupToken()) ?? "";
  const account = await openAccount(server, "admin:*", "metrics");
  const forge = await forger(server, account);
  const strange = strangeKey();
  const now = Math.floor(Date.now() / 1_000);
  const past = { iat: now - 2_000, nbf: now - 2_000, exp: now - 1_000 };
  const elsewhere = "urn:store:elsewhere";
  const bearers = {
    "no token": "not-a-token",
    "an empty token": "",
    "a token that was never given out": `store_${"x".repeat(49)}`,
    "an expired access token": forge({ claims: past }),
    "an expired API token": await expiredToken(server, account),
    "a revoked API token": await revokedToken(server, account),
    "the token of a session that ended": await endedSession(server),
    "the token of a disabled user": await disabledToken(server),
    "the session of a disabled user": await disabledSession(server),
    "an access token for another audience": forge({ claims: { aud: elsewhere } }),
    "an access token of another issuer": forge({ claims: { iss: elsewhere } }),
    "an access token signed by another key": forge({ key: strange }),
    "an access token without a signature": forge({ header: { alg: "none" }, unsigned: true }),
    "a setup token that was used": setup,
  };
  const refused = Object.entries(bearers).map(([name, token]) => [name, `Bearer ${token}`]);
  refused.push(["a password", `Basic ${Buffer.from("ada:horse").toString("base64")}`]);
  return refused.map(([name = "", authorization = ""]): Caller => ({
    ...nothing,
    name,
    isTypical: name === "an expired access token" || name === "a revoked API token",
    kind: "refused",
    authorization,
  }));
}

async function endedSession(server: WholeServer): Promise<string> {
  const { accessToken, username, password } = await openAccount(server, "admin:*");
  const here = { address: "127.0.0.1" };
  const session = await server.access.login({ username, password }, here);
  await server.access.logout({ refreshToken: session.refreshToken });
  return session.accessToken === accessToken ? "" : session.accessToken;
}

async function disabledToken(server: WholeServer): Promise<string> {
  const { token, username } = await openAccount(server, "admin:*");
  await server.access.disableUser(operator, username);
  return token;
}

async function disabledSession(server: WholeServer): Promise<string> {
  const { accessToken, username } = await openAccount(server, "admin:*");
  await server.access.disableUser(operator, username);
  return accessToken;
}

/** Whoever shows the setup token of an instance without users. */
export async function openSetupCaller({ access, database }: WholeServer): Promise<Caller> {
  const token = await access.setupToken();
  const [row] = await database.reader.select().from(database.tables.apiTokens);
  if (token === undefined || row === undefined) throw new Error("The instance has users already.");
  return {
    ...nothing,
    name: "the setup token",
    kind: "setup",
    authorization: `Bearer ${token}`,
    actor: `token:${row.tokenId}`,
  };
}
