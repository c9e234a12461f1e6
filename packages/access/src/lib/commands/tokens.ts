import { StoreError } from "@store/identity";
import { cursorOf, pageLimit, pageOf } from "@store/registry/pages";
import { and, asc, eq, gt, isNull } from "drizzle-orm";
import * as v from "valibot";

import type { Access } from "../access.ts";
import { newApiToken } from "../credentials/api-token.ts";
import { record } from "../events/record.ts";
import { change, type AccessInstance } from "../instance.ts";
import { formatTime } from "../times.ts";
import { lacking, requireAccess } from "../principal.ts";
import {
  findToken,
  findUserById,
  hasUsers,
  livingTokens,
  readScopes,
  requireUser,
  tokenInfo,
  writeScopes,
  type TokenRow,
  type UserRow,
} from "../queries/accounts.ts";
import {
  formatScope,
  intersectScopes,
  isInstanceAdmin,
  mayGrant,
  parseScopes,
  type Scope,
} from "../scope.ts";
import type { CreateTokenInput, Principal, TokenWithSecret } from "../types.ts";

type TokenCommands = Pick<Access, "setupToken" | "createToken" | "listTokens" | "revokeToken">;

const tokensPerUser = 1_000;
const longestNameBytes = 128;
/** What a Date can still hold. */
const latestMs = Date.UTC(9999, 11, 31);
const cursor = cursorOf("tokens", [v.pipe(v.string(), v.maxLength(64))]);

/** API tokens, and the setup token. */
export function tokenCommands(instance: AccessInstance): TokenCommands {
  const { database } = instance;
  return {
    setupToken: ({ renew = false } = {}) => setupToken(instance, renew),

    createToken: (by, input) => createToken(instance, by, input),

    listTokens: async (by, options = {}) => {
      const { all = false } = options;
      const userId = all ? undefined : requireUserId(by);
      if (all) requireAccess(by, "instance");
      const limit = pageLimit(options);
      const after = cursor.decode(options.cursor)?.[0];
      const { apiTokens: t, users } = database.tables;
      const rows = await database.reader
        .select({ token: t, owner: users.username })
        .from(t)
        .innerJoin(users, eq(users.userId, t.userId))
        .where(
          and(
            eq(t.kind, "api"),
            userId === undefined ? undefined : eq(t.userId, userId),
            after === undefined ? undefined : gt(t.tokenId, after),
          ),
        )
        .orderBy(asc(t.tokenId))
        .limit(limit + 1);
      return pageOf(rows, limit, {
        cursor: ({ token }) => cursor.encode([token.tokenId]),
        item: ({ token, owner }) => tokenInfo(token, owner),
      });
    },

    revokeToken: async (by, tokenId) => {
      requireAccess(by, "authenticated");
      // Nobody in particular has no tokens, however open the instance is.
      if (by.kind === "anonymous") throw lacking(by, "");
      const isAnother = by.kind === "token" && tokenId !== by.tokenId;
      if (isAnother && !isInstanceAdmin(by.scopes)) throw tokenEndsItself();
      await change(instance, by.actor, async (tx) => {
        const token = await findToken(tx.sql, tokenId);
        const isOwn = by.userId !== undefined && token?.userId === by.userId;
        // Another's token is not told from none.
        if (token?.kind !== "api" || !(isOwn || isInstanceAdmin(by.scopes))) {
          throw new StoreError("token_not_found", "There is no API token with that id.");
        }
        if (token.revokedAt !== null) return;
        const { apiTokens } = tx.tables;
        await tx.sql
          .update(apiTokens)
          .set({ revokedAt: tx.now })
          .where(eq(apiTokens.tokenId, tokenId));
        const payload = { token_id: tokenId, user_id: token.userId };
        record(tx, { type: "v1.token.revoked", payload });
      });
    },
  };
}

async function createToken(
  instance: AccessInstance,
  by: Principal,
  input: CreateTokenInput,
): Promise<TokenWithSecret> {
  requireAccess(by, "authenticated");
  if (by.kind === "token" && !isInstanceAdmin(by.scopes)) throw tokenMakesNone();
  assertTokenName(input.name);
  const expiresAt = expiryOf(instance.clock(), input.expiresInMs);
  const owner = await ownerOf(instance, by, input.owner);
  const scopes = scopesOf(by, owner, input.scopes);
  if (!isInstanceAdmin(by.scopes)) await instance.changesByUser.attempt(owner.userId);
  const { token, digest } = newApiToken();
  const tokenId = instance.ids();
  const info = await change(instance, by.actor, async (tx) => {
    const current = await findUserById(tx.sql, owner.userId);
    if (current === undefined || current.disabledAt !== null) throw ownerDisabled();
    if ((await livingTokens(tx.sql, owner.userId)) >= tokensPerUser) throw tooManyTokens();
    const row: TokenRow = {
      tokenId,
      kind: "api",
      userId: owner.userId,
      name: input.name,
      tokenDigest: digest,
      scopes: writeScopes(scopes),
      createdAt: tx.now,
      createdBy: by.actor,
      expiresAt: expiresAt ?? null,
      lastUsedAt: null,
      revokedAt: null,
    };
    await tx.sql.insert(tx.tables.apiTokens).values(row);
    const payload = {
      token_id: tokenId,
      kind: "api" as const,
      user_id: owner.userId,
      name: input.name,
      scopes: scopes.map(formatScope),
      expires_at: expiresAt,
    };
    record(tx, { type: "v1.token.created", payload });
    return tokenInfo(row, owner.username);
  });
  return { ...info, token };
}

/** The user that a new token belongs to. */
async function ownerOf(
  { database }: AccessInstance,
  by: Principal,
  username: string | undefined,
): Promise<UserRow> {
  if (username !== undefined && username !== by.username) {
    requireAccess(by, "instance");
    return await requireUser(database.reader, username);
  }
  const owner = await findUserById(database.reader, requireUserId(by));
  if (owner === undefined) throw ownerDisabled();
  return owner;
}

function scopesOf(by: Principal, owner: UserRow, given: readonly string[] | undefined): Scope[] {
  const owned = readScopes(owner.scopes);
  if (given === undefined)
    return by.userId === owner.userId ? intersectScopes(by.scopes, owned) : owned;
  const scopes = parseScopes(given);
  for (const scope of scopes) {
    if (mayGrant(by.scopes, scope) && mayGrant(owned, scope)) continue;
    const text = formatScope(scope);
    throw new StoreError(
      "permission_denied",
      `A token gets no scope that its maker and its owner do not have: ${text}.`,
      { context: { expected: text } },
    );
  }
  return scopes;
}

async function setupToken(instance: AccessInstance, renew: boolean): Promise<string | undefined> {
  const { database, actor, ids } = instance;
  if (await hasUsers(database.reader)) return undefined;
  const { token, digest } = newApiToken();
  const tokenId = ids();
  const isMade = await change(instance, actor, async (tx) => {
    const { apiTokens: t } = tx.tables;
    if (await hasUsers(tx.sql)) return false;
    const before = await tx.sql
      .select({ tokenId: t.tokenId })
      .from(t)
      .where(and(eq(t.userId, ""), isNull(t.revokedAt)));
    if (before.length > 0 && !renew) return false;
    await tx.sql
      .update(t)
      .set({ revokedAt: tx.now })
      .where(and(eq(t.userId, ""), isNull(t.revokedAt)));
    for (const old of before) {
      record(tx, { type: "v1.token.revoked", payload: { token_id: old.tokenId } });
    }
    const name = "setup";
    const made = { tokenId, kind: "setup" as const, userId: "", name, tokenDigest: digest };
    await tx.sql.insert(t).values({
      ...made,
      scopes: "",
      createdAt: tx.now,
      createdBy: actor,
      expiresAt: null,
      lastUsedAt: null,
      revokedAt: null,
    });
    const payload = { token_id: tokenId, kind: "setup" as const, name, scopes: [] };
    record(tx, { type: "v1.token.created", payload });
    return true;
  });
  return isMade ? token : undefined;
}

function requireUserId(by: Principal): string {
  if (by.userId !== undefined) return by.userId;
  if (by.kind === "anonymous") throw lacking(by, "");
  throw new StoreError(
    "invalid_argument",
    "This credential belongs to no user. Name the user that the token belongs to.",
  );
}

function assertTokenName(name: unknown): void {
  const fits =
    typeof name === "string" &&
    name.isWellFormed() &&
    !/\p{Cc}/u.test(name) &&
    name !== "" &&
    Buffer.byteLength(name) <= longestNameBytes;
  if (fits) return;
  throw new StoreError(
    "invalid_argument",
    `A token's name is 1 to ${longestNameBytes} bytes without control characters.`,
    { context: { limit: longestNameBytes } },
  );
}

function expiryOf(nowMs: number, expiresInMs: number | undefined): string | undefined {
  if (expiresInMs === undefined) return undefined;
  if (Number.isSafeInteger(expiresInMs) && expiresInMs > 0 && nowMs + expiresInMs <= latestMs) {
    return formatTime(nowMs + expiresInMs);
  }
  throw new StoreError(
    "invalid_argument",
    "A token lives for a whole number of milliseconds above 0, and ends before the year 10000.",
    { context: { actual: String(expiresInMs) } },
  );
}

function tokenMakesNone(): StoreError {
  return new StoreError(
    "permission_denied",
    "An API token makes other tokens only with the scope admin:*. Log in to make one.",
    { context: { expected: "admin:*" } },
  );
}

function tokenEndsItself(): StoreError {
  return new StoreError(
    "permission_denied",
    "An API token revokes others only with the scope admin:*. Log in to revoke one.",
    { context: { expected: "admin:*" } },
  );
}

function ownerDisabled(): StoreError {
  return new StoreError("permission_denied", "The user is disabled and gets no tokens.");
}

function tooManyTokens(): StoreError {
  return new StoreError(
    "limit_exceeded",
    `The user has ${tokensPerUser} API tokens, and gets no more. Revoke some.`,
    { context: { limit: tokensPerUser } },
  );
}
