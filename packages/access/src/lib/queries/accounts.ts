import { statement, type Row, type Sql, type StatementParameters } from "@store/database";
import { StoreError } from "@store/identity";
import { and, asc, count, eq, isNull } from "drizzle-orm";

import { formatScope, parseScope, type Scope } from "../scope.ts";
import type { TokenInfo, UserInfo } from "../types.ts";

export type UserRow = Row<"users">;
export type SessionRow = Row<"sessions">;
export type TokenRow = Row<"apiTokens">;

const usernamePattern = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const idPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Whether a text has the form of a username. */
export function isUsername(text: unknown): text is string {
  return typeof text === "string" && usernamePattern.test(text);
}

/** Whether a text has the form of an id; nothing else is looked up. */
function isId(text: unknown): text is string {
  return typeof text === "string" && idPattern.test(text);
}

const selectUser = statement((sql, { users }, p: StatementParameters<{ username: string }>) =>
  sql
    .select()
    .from(users)
    .where(eq(users.username, p("username"))),
);

const selectUserById = statement((sql, { users }, p: StatementParameters<{ userId: string }>) =>
  sql
    .select()
    .from(users)
    .where(eq(users.userId, p("userId"))),
);

export async function findUser(sql: Sql, username: string): Promise<UserRow | undefined> {
  if (!isUsername(username)) return undefined;
  const [row] = await selectUser(sql, { username });
  return row;
}

export async function findUserById(sql: Sql, userId: string): Promise<UserRow | undefined> {
  const [row] = await selectUserById(sql, { userId });
  return row;
}

/** The user's row; throws `user_not_found`. */
export async function requireUser(sql: Sql, username: string): Promise<UserRow> {
  const row = await findUser(sql, username);
  if (row !== undefined) return row;
  const shown = isUsername(username) ? ` ${username}` : " with such a name";
  throw new StoreError("user_not_found", `There is no user${shown}.`);
}

const selectAnyUser = statement((sql, { users }) =>
  sql.select({ userId: users.userId }).from(users).limit(1),
);

/** Whether the instance has a user yet. */
export async function hasUsers(sql: Sql): Promise<boolean> {
  return (await selectAnyUser(sql, {})).length > 0;
}

const selectSession = statement(
  (sql, { sessions, users }, p: StatementParameters<{ sessionId: string }>) =>
    sql
      .select({ session: sessions, user: users })
      .from(sessions)
      .innerJoin(users, eq(users.userId, sessions.userId))
      .where(eq(sessions.sessionId, p("sessionId"))),
);

/** A session with its user, ended or not. */
export async function findSession(
  sql: Sql,
  sessionId: string,
): Promise<{ readonly session: SessionRow; readonly user: UserRow } | undefined> {
  const [row] = await selectSession(sql, { sessionId });
  return row;
}

const selectLivingSessions = statement(
  (sql, { sessions }, p: StatementParameters<{ userId: string }>) =>
    sql
      .select()
      .from(sessions)
      .where(and(eq(sessions.userId, p("userId")), isNull(sessions.revokedAt)))
      .orderBy(asc(sessions.sessionId)),
);

/** The sessions of a user that were not ended, oldest first. */
export function livingSessions(sql: Sql, userId: string): Promise<SessionRow[]> {
  return selectLivingSessions(sql, { userId });
}

const selectTokenByDigest = statement(
  (sql, { apiTokens, users }, p: StatementParameters<{ digest: Uint8Array }>) =>
    sql
      .select({ token: apiTokens, user: users })
      .from(apiTokens)
      .leftJoin(users, eq(users.userId, apiTokens.userId))
      .where(eq(apiTokens.tokenDigest, p("digest"))),
);

/** A token with its user, who is absent for the setup token. */
export async function findTokenByDigest(
  sql: Sql,
  digest: Uint8Array,
): Promise<{ readonly token: TokenRow; readonly user: UserRow | null } | undefined> {
  const [row] = await selectTokenByDigest(sql, { digest });
  return row;
}

const selectToken = statement((sql, { apiTokens }, p: StatementParameters<{ tokenId: string }>) =>
  sql
    .select()
    .from(apiTokens)
    .where(eq(apiTokens.tokenId, p("tokenId"))),
);

export async function findToken(sql: Sql, tokenId: string): Promise<TokenRow | undefined> {
  if (!isId(tokenId)) return undefined;
  const [row] = await selectToken(sql, { tokenId });
  return row;
}

const countLivingTokens = statement(
  (sql, { apiTokens }, p: StatementParameters<{ userId: string }>) =>
    sql
      .select({ count: count() })
      .from(apiTokens)
      .where(and(eq(apiTokens.userId, p("userId")), isNull(apiTokens.revokedAt))),
);

/** How many tokens of a user were not revoked. */
export async function livingTokens(sql: Sql, userId: string): Promise<number> {
  const [row] = await countLivingTokens(sql, { userId });
  return row?.count ?? 0;
}

/** Scopes as they are stored: their texts, separated by spaces. */
export function writeScopes(scopes: readonly Scope[]): string {
  return scopes.map(formatScope).join(" ");
}

export function readScopes(text: string): Scope[] {
  return text === "" ? [] : text.split(" ").map(parseScope);
}

function scopeTexts(text: string): string[] {
  return text === "" ? [] : text.split(" ");
}

export function userInfo(row: UserRow): UserInfo {
  return {
    id: row.userId,
    username: row.username,
    scopes: scopeTexts(row.scopes),
    createdAt: row.createdAt,
    createdBy: row.createdBy,
    passwordChangedAt: row.passwordChangedAt,
    ...(row.disabledAt === null ? {} : { disabledAt: row.disabledAt }),
  };
}

export function tokenInfo(row: TokenRow, owner: string): TokenInfo {
  return {
    id: row.tokenId,
    name: row.name,
    owner,
    scopes: scopeTexts(row.scopes),
    createdAt: row.createdAt,
    ...(row.expiresAt === null ? {} : { expiresAt: row.expiresAt }),
    ...(row.lastUsedAt === null ? {} : { lastUsedAt: row.lastUsedAt }),
    ...(row.revokedAt === null ? {} : { revokedAt: row.revokedAt }),
  };
}
