import type { LogTransaction } from "@store/events";
import { StoreError } from "@store/identity";
import { cursorOf, pageLimit, pageOf } from "@store/registry/pages";
import { and, asc, eq, gt, isNull } from "drizzle-orm";
import * as v from "valibot";

import type { Access } from "../access.ts";
import { notAccepted } from "../credentials/access-token.ts";
import { record } from "../events/record.ts";
import { change, type AccessInstance } from "../instance.ts";
import { newPassword } from "../passwords/password-rules.ts";
import { lacking, requireAccess } from "../principal.ts";
import {
  findToken,
  findUser,
  findUserById,
  hasUsers,
  isUsername,
  livingSessions,
  requireUser,
  userInfo,
  writeScopes,
  type UserRow,
} from "../queries/accounts.ts";
import { parseScopes } from "../scope.ts";
import type { CreateUserInput, Principal } from "../types.ts";
import { checkPassword, endSessions } from "./sessions.ts";

type UserCommands = Pick<
  Access,
  | "createUser"
  | "getUser"
  | "listUsers"
  | "disableUser"
  | "enableUser"
  | "setScopes"
  | "setPassword"
  | "changePassword"
>;

/** What the first user may do. */
const firstScopes = ["admin:*", "metrics"];
const cursor = cursorOf("users", [v.pipe(v.string(), v.maxLength(64))]);

/** Users: making, showing and changing them. */
export function userCommands(instance: AccessInstance): UserCommands {
  const { database, hashing } = instance;
  return {
    createUser: (by, input) => createUser(instance, by, input),

    getUser: async (by, username) => {
      requireAccess(by, "instance");
      return userInfo(await requireUser(database.reader, username));
    },

    listUsers: async (by, page = {}) => {
      requireAccess(by, "instance");
      const limit = pageLimit(page);
      const after = cursor.decode(page.cursor)?.[0];
      const { users } = database.tables;
      const rows = await database.reader
        .select()
        .from(users)
        .where(after === undefined ? undefined : gt(users.username, after))
        .orderBy(asc(users.username))
        .limit(limit + 1);
      return pageOf(rows, limit, {
        cursor: ({ username }) => cursor.encode([username]),
        item: userInfo,
      });
    },

    disableUser: (by, username) =>
      changeUser(instance, by, username, async (tx, user) => {
        if (user.disabledAt !== null) return user;
        await endSessions(tx, await livingSessions(tx.sql, user.userId), "disabled");
        record(tx, { type: "v1.user.disabled", payload: { user_id: user.userId } });
        return await updated(tx, user, { disabledAt: tx.now });
      }),

    enableUser: (by, username) =>
      changeUser(instance, by, username, async (tx, user) => {
        if (user.disabledAt === null) return user;
        record(tx, { type: "v1.user.enabled", payload: { user_id: user.userId } });
        return await updated(tx, user, { disabledAt: null });
      }),

    setScopes: async (by, username, given) => {
      requireAccess(by, "instance");
      const scopes = writeScopes(parseScopes(given));
      return await changeUser(instance, by, username, async (tx, user) => {
        if (user.scopes === scopes) return user;
        const payload = { user_id: user.userId, scopes: scopes === "" ? [] : scopes.split(" ") };
        record(tx, { type: "v1.user.scopes_set", payload });
        return await updated(tx, user, { scopes });
      });
    },

    setPassword: async (by, username, password) => {
      requireAccess(by, "instance");
      const { userId } = await requireUser(database.reader, username);
      const passwordHash = await hashing.hash(newPassword(password, username));
      await replacePassword(instance, by, { userId, passwordHash });
    },

    changePassword: async (by, { currentPassword, newPassword: wanted }, from) => {
      const { kind, username, userId, sessionId } = by;
      if (kind === "anonymous") throw lacking(by, "");
      if (kind !== "user" || username === undefined || userId === undefined) throw noSession();
      const user = await checkPassword(instance, { username, password: currentPassword }, from);
      await instance.changesByUser.attempt(userId);
      const passwordHash = await hashing.hash(newPassword(wanted, username));
      const before = user.passwordHash;
      await replacePassword(instance, by, { userId, passwordHash, before, keep: sessionId });
    },
  };
}

async function createUser(instance: AccessInstance, by: Principal, input: CreateUserInput) {
  requireAccess(by, "setup");
  const { username, password } = input;
  assertUsername(username);
  const isSetup = by.kind === "setup";
  const scopes = parseScopes(isSetup ? firstScopes : (input.scopes ?? []));
  const prepared = newPassword(password, username);
  if ((await findUser(instance.database.reader, username)) !== undefined) throw taken(username);
  const passwordHash = await instance.hashing.hash(prepared);
  const userId = instance.ids();
  return await change(instance, by.actor, async (tx) => {
    if (isSetup) await useSetupToken(tx, by);
    else await endSetupTokens(tx);
    if ((await findUser(tx.sql, username)) !== undefined) throw taken(username);
    const row: UserRow = {
      userId,
      username,
      passwordHash,
      scopes: writeScopes(scopes),
      createdAt: tx.now,
      createdBy: by.actor,
      passwordChangedAt: tx.now,
      disabledAt: null,
    };
    await tx.sql.insert(tx.tables.users).values(row);
    const info = userInfo(row);
    const payload = { user_id: userId, username, scopes: [...info.scopes] };
    record(tx, { type: "v1.user.created", payload });
    return info;
  });
}

/** Uses the setup token up. Commands run one after another, so that of two one finds a user. */
async function useSetupToken(tx: LogTransaction, { tokenId = "" }: Principal): Promise<void> {
  const token = await findToken(tx.sql, tokenId);
  const isDead = token?.kind !== "setup" || token.revokedAt !== null;
  if (isDead || (await hasUsers(tx.sql))) throw notAccepted();
  await endSetupTokens(tx);
}

/** Revokes the setup token, for which nothing is left to do once there is a user. */
async function endSetupTokens(tx: LogTransaction): Promise<void> {
  const { apiTokens: t } = tx.tables;
  const isLiving = and(eq(t.userId, ""), isNull(t.revokedAt));
  const living = await tx.sql.select({ tokenId: t.tokenId }).from(t).where(isLiving);
  if (living.length === 0) return;
  await tx.sql.update(t).set({ revokedAt: tx.now }).where(isLiving);
  for (const { tokenId } of living) {
    record(tx, { type: "v1.token.revoked", payload: { token_id: tokenId } });
  }
}

async function changeUser(
  instance: AccessInstance,
  by: Principal,
  username: string,
  command: (tx: LogTransaction, user: UserRow) => Promise<UserRow>,
) {
  requireAccess(by, "instance");
  const row = await change(instance, by.actor, async (tx) =>
    command(tx, await requireUser(tx.sql, username)),
  );
  return userInfo(row);
}

async function updated(
  { sql, tables: { users } }: LogTransaction,
  user: UserRow,
  values: Partial<Pick<UserRow, "disabledAt" | "scopes">>,
): Promise<UserRow> {
  await sql.update(users).set(values).where(eq(users.userId, user.userId));
  return { ...user, ...values };
}

interface Replacement {
  readonly userId: string;
  readonly passwordHash: string;
  /** The hash that the password must still have. */
  readonly before?: string | undefined;
  /** The session that goes on. */
  readonly keep?: string | undefined;
}

function replacePassword(
  instance: AccessInstance,
  by: Principal,
  { userId, passwordHash, before, keep }: Replacement,
): Promise<void> {
  return change(instance, by.actor, async (tx) => {
    const user = await findUserById(tx.sql, userId);
    const hasMoved = before !== undefined && user?.passwordHash !== before;
    // Changed or disabled by somebody else, since the password was looked at.
    if (user === undefined || hasMoved) throw notAccepted();
    const { users } = tx.tables;
    await tx.sql
      .update(users)
      .set({ passwordHash, passwordChangedAt: tx.now })
      .where(eq(users.userId, userId));
    record(tx, { type: "v1.user.password_set", payload: { user_id: userId } });
    const living = await livingSessions(tx.sql, userId);
    const ending = living.filter(({ sessionId }) => sessionId !== keep);
    await endSessions(tx, ending, "password");
  });
}

function assertUsername(username: unknown): void {
  if (isUsername(username)) return;
  throw new StoreError(
    "invalid_name",
    "A username is 1 to 64 of a-z, 0-9, dot, underscore and hyphen, and begins with a letter or digit.",
    { context: { limit: 64 } },
  );
}

function taken(username: string): StoreError {
  return new StoreError("user_exists", `The username ${username} is taken.`);
}

function noSession(): StoreError {
  return new StoreError(
    "permission_denied",
    "Only a session changes its user's own password. Log in with the current one.",
  );
}
