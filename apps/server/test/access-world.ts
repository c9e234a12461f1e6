import { createPrivateKey, generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import { localPrincipal } from "@store/access";
import { createTestDatabase } from "@store/testing/postgres";

import { openWholeServer, type WholeServer } from "./whole-server.ts";

/** Which database an instance stands on. */
export type Dialect = "sqlite" | "postgres";
export const dialects: readonly Dialect[] = ["sqlite", "postgres"];

/** Whoever has the instance itself at hand. */
export const operator = localPrincipal("operator");

const many = { failures: 1_000_000, withinMs: 3_600_000 };
/** What is wrong on purpose is never too much. */
export const noFailureLimits = { loginByAddress: many, loginByAccount: many, tokenByAddress: many };

/** A server with real accounts that counts no failures, over an empty instance. */
export async function openWorld(
  dialect: Dialect,
  { anonymousRead = false }: { readonly anonymousRead?: boolean } = {},
): Promise<WholeServer> {
  const options = {
    access: { anonymousRead, limits: noFailureLimits },
    metrics: { text: async () => "store_up 1\n", fileAdded: () => undefined },
  };
  if (dialect === "sqlite") return await openWholeServer(options);
  const place = await createTestDatabase();
  const server = await openWholeServer({ ...options, databaseUrl: place.url });
  return {
    ...server,
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      await place.drop();
    },
  };
}

/** A user with a session and an API token of the same scopes. */
export interface Account {
  readonly username: string;
  password: string;
  readonly userId: string;
  readonly tokenId: string;
  readonly token: string;
  readonly accessToken: string;
}

let accounts = 0;

export async function openAccount(
  { access }: Pick<WholeServer, "access">,
  ...scopes: readonly string[]
): Promise<Account> {
  accounts += 1;
  const username = `caller-${accounts}`;
  const password = `${username} rides a horse of brass`;
  const { id: userId } = await access.createUser(operator, { username, password, scopes });
  // The first user of an instance may do everything, whatever was asked for.
  await access.setScopes(operator, username, scopes);
  const made = await access.createToken(operator, { name: "test", owner: username });
  const { accessToken } = await access.login({ username, password }, { address: "127.0.0.1" });
  return { username, password, userId, tokenId: made.id, token: made.token, accessToken };
}

/** An API token that has just expired. */
export async function expiredToken(
  { access }: Pick<WholeServer, "access">,
  { username }: Account,
): Promise<string> {
  const input = { name: "short", owner: username, expiresInMs: 1 };
  const { token } = await access.createToken(operator, input);
  await sleep(5);
  return token;
}

/** An API token that was revoked. */
export async function revokedToken(
  { access }: Pick<WholeServer, "access">,
  { username }: Account,
): Promise<string> {
  const made = await access.createToken(operator, { name: "revoked", owner: username });
  await access.revokeToken(operator, made.id);
  return made.token;
}

/** What a test changes about an access token that would be right. */
export interface Forgery {
  readonly header?: Readonly<Record<string, unknown>>;
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly key?: KeyObject;
  /** Leaves the signature out. */
  readonly unsigned?: true;
}

/** Makes access tokens of an account's session as the instance would, and wrong ones. */
export async function forger(
  { database }: Pick<WholeServer, "database">,
  { accessToken }: Account,
): Promise<(forgery?: Forgery) => string> {
  const [row] = await database.reader.select().from(database.tables.signingKeys);
  if (row === undefined) throw new Error("There is a key.");
  const ownKey = createPrivateKey({ key: JSON.parse(row.privateKey), format: "jwk" });
  const [ownHeader = "", ownClaims = ""] = accessToken.split(".").map(decoded);
  return ({ header, claims, key = ownKey, unsigned } = {}) => {
    const parts = [
      { ...JSON.parse(ownHeader), ...header },
      { ...JSON.parse(ownClaims), ...claims },
    ];
    const text = parts
      .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
      .join(".");
    const signature = unsigned ? "" : sign(null, Buffer.from(text), key).toString("base64url");
    return `${text}.${signature}`;
  };
}

/** A key that no instance has. */
export function strangeKey(): KeyObject {
  return generateKeyPairSync("ed25519").privateKey;
}

function decoded(part: string): string {
  return Buffer.from(part, "base64url").toString();
}
