import type { LogTransaction } from "@store/events";
import { isStoreError, StoreError } from "@store/identity";
import { and, eq, inArray, isNull } from "drizzle-orm";

import type { Access } from "../access.ts";
import { notAccepted, signAccessToken } from "../credentials/access-token.ts";
import { sameDigest, digestText } from "../credentials/digest-text.ts";
import {
  formatRefreshToken,
  newSecret,
  parseRefreshToken,
  type RefreshToken,
} from "../credentials/refresh-token.ts";
import { record } from "../events/record.ts";
import type { EndReason } from "../events/types.ts";
import { addressKey } from "../failures.ts";
import { change, type AccessInstance } from "../instance.ts";
import { formatTime } from "../times.ts";
import { preparePassword } from "../passwords/password-rules.ts";
import {
  findSession,
  findUser,
  findUserById,
  isUsername,
  livingSessions,
  type SessionRow,
  type UserRow,
} from "../queries/accounts.ts";
import type { Credentials, Origin, SessionSecrets } from "../types.ts";

/** How many sessions of one user live at once; the oldest gives way. */
const sessionsPerUser = 100;

type SessionCommands = Pick<Access, "login" | "refresh" | "logout">;

/** Beginning, continuing and ending sessions. */
export function sessionCommands(instance: AccessInstance): SessionCommands {
  return {
    login: async (credentials, from) => {
      const user = await checkPassword(instance, credentials, from);
      await instance.changesByUser.attempt(user.userId);
      return await beginSession(instance, user, credentials.password);
    },

    refresh: async (refreshToken, { address }) => {
      const from = addressKey(address);
      await instance.tokenByAddress.check(from);
      const token = parseRefreshToken(refreshToken);
      const session = token === undefined ? undefined : await provenSession(instance, token);
      if (token === undefined || session === undefined) {
        await instance.tokenByAddress.fail(from);
        throw notAccepted();
      }
      return await rotate(instance, session, token);
    },

    logout: async (by) => {
      const session =
        "refreshToken" in by ? await sessionOf(instance, by.refreshToken) : await ownSession(by);
      if (session === undefined) return;
      const actor = "actor" in by ? by.actor : `user:${session.userId}`;
      await change(instance, actor, async (tx) => {
        const found = await findSession(tx.sql, session.sessionId);
        if (found?.session.revokedAt === null) await endSessions(tx, [found.session], "logout");
      });
    },
  };

  async function ownSession({ sessionId }: { readonly sessionId?: string }) {
    if (sessionId === undefined) return undefined;
    return (await findSession(instance.database.reader, sessionId))?.session;
  }
}

/**
 * The user whose password this is. Every refusal is the same and takes the same work. An attempt
 * counts as failed until it has succeeded, so that many at once are no way around the limit.
 *
 * @throws {StoreError} `unauthenticated`, `rate_limited`
 */
export async function checkPassword(
  { loginByAddress, loginByAccount, hashing, database }: AccessInstance,
  { username, password }: Credentials,
  { address }: Origin,
): Promise<UserRow> {
  const from = addressKey(address);
  const account = isUsername(username) ? username : "";
  await loginByAddress.attempt(from);
  await loginByAccount.attempt(account);
  let matches: boolean;
  const user = await findUser(database.reader, username);
  try {
    matches = await hashing.verify(user?.passwordHash, candidate(password));
  } catch (error) {
    // Nothing was tried: too many are being hashed.
    if (isStoreError(error, "rate_limited")) {
      await Promise.all([loginByAddress.forgive(from), loginByAccount.forgive(account)]);
    }
    throw error;
  }
  if (!matches || user === undefined || user.disabledAt !== null) throw wrongPassword();
  await Promise.all([loginByAddress.forgive(from), loginByAccount.forget(account)]);
  return user;
}

/** What a given password may be; what can be nobody's is held against the hash as no password. */
function candidate(password: unknown): string {
  const isPossible = typeof password === "string" && password.length <= 2_048;
  return isPossible && password.isWellFormed() ? preparePassword(password) : "";
}

function wrongPassword(): StoreError {
  return new StoreError("unauthenticated", "The username or the password is wrong.");
}

async function beginSession(
  instance: AccessInstance,
  user: UserRow,
  password: string,
): Promise<SessionSecrets> {
  const { hashing, ids, clock, refreshTokenMs } = instance;
  const family = newSecret();
  const own = newSecret();
  const outdated = hashing.isOutdated(user.passwordHash);
  const passwordHash = outdated ? await hashing.hash(preparePassword(password)) : user.passwordHash;
  const sessionId = ids();
  const superseded = await instance.log.transact(`user:${user.userId}`, async (tx) => {
    const current = await findUserById(tx.sql, user.userId);
    // Disabled or changed while the password was being looked at.
    if (current?.passwordHash !== user.passwordHash || current.disabledAt !== null) {
      throw wrongPassword();
    }
    const { users, sessions } = tx.tables;
    if (outdated) {
      await tx.sql.update(users).set({ passwordHash }).where(eq(users.userId, user.userId));
    }
    const living = await livingSessions(tx.sql, user.userId);
    const surplus = living.slice(0, Math.max(0, living.length - sessionsPerUser + 1));
    await endSessions(tx, surplus, "superseded");
    await tx.sql.insert(sessions).values({
      sessionId,
      userId: user.userId,
      familyDigest: family.digest,
      refreshDigest: own.digest,
      createdAt: tx.now,
      refreshedAt: tx.now,
      expiresAt: formatTime(clock() + refreshTokenMs),
      revokedAt: null,
      revokedReason: null,
    });
    const payload = { session_id: sessionId, user_id: user.userId };
    record(tx, { type: "v1.session.begun", payload });
    return surplus.length;
  });
  if (superseded > 0) instance.cache.clear();
  const token = { sessionId, sessionSecret: family.secret, ownSecret: own.secret };
  return await secretsOf(instance, user.userId, token);
}

/** The next tokens of a session that lives, if its token was not used before. */
async function rotate(
  instance: AccessInstance,
  session: SessionRow,
  token: RefreshToken,
): Promise<SessionSecrets> {
  const { clock, refreshTokenMs } = instance;
  const own = newSecret();
  const usedDigest = digestText(token.ownSecret);
  // Decided by the writer: of two who use one token at once, in any two processes, one is first.
  const isFirst = await instance.log.transact(`user:${session.userId}`, async (tx) => {
    const found = await findSession(tx.sql, session.sessionId);
    const now = clock();
    if (found === undefined || !isLiving(found.session, found.user, now)) return false;
    const { sessions } = tx.tables;
    const { changes } = await tx.sql
      .update(sessions)
      .set({
        refreshDigest: own.digest,
        refreshedAt: tx.now,
        expiresAt: formatTime(now + refreshTokenMs),
      })
      .where(
        and(
          eq(sessions.sessionId, session.sessionId),
          eq(sessions.refreshDigest, usedDigest),
          isNull(sessions.revokedAt),
        ),
      );
    if (changes === 0) await endSessions(tx, [found.session], "reuse");
    return changes > 0;
  });
  if (!isFirst) {
    instance.cache.clear();
    throw notAccepted();
  }
  const { sessionId, sessionSecret } = token;
  return await secretsOf(instance, session.userId, {
    sessionId,
    sessionSecret,
    ownSecret: own.secret,
  });
}

function isLiving(session: SessionRow, user: UserRow, nowMs: number): boolean {
  const hasEnded = session.revokedAt !== null || session.expiresAt <= formatTime(nowMs);
  return !hasEnded && user.disabledAt === null;
}

/** The session that a refresh token, new or used, was given out for. */
async function provenSession(
  { database }: Pick<AccessInstance, "database">,
  token: RefreshToken,
): Promise<SessionRow | undefined> {
  const found = await findSession(database.reader, token.sessionId);
  if (found === undefined) return undefined;
  const isProven = sameDigest(found.session.familyDigest, digestText(token.sessionSecret));
  return isProven ? found.session : undefined;
}

async function sessionOf(
  instance: AccessInstance,
  refreshToken: unknown,
): Promise<SessionRow | undefined> {
  const token = parseRefreshToken(refreshToken);
  return token === undefined ? undefined : await provenSession(instance, token);
}

async function secretsOf(
  { keys, rules, refreshTokenMs }: AccessInstance,
  userId: string,
  token: RefreshToken,
): Promise<SessionSecrets> {
  const { sessionId } = token;
  const key = await keys.signing();
  return {
    accessToken: await signAccessToken(key, rules, { userId, sessionId }),
    accessSeconds: Math.ceil(rules.accessTokenMs / 1_000),
    refreshToken: formatRefreshToken(token),
    refreshSeconds: Math.floor(refreshTokenMs / 1_000),
    sessionId,
  };
}

/** Ends sessions that live, each with its event. */
export async function endSessions(
  tx: LogTransaction,
  sessions: readonly SessionRow[],
  reason: EndReason,
): Promise<void> {
  if (sessions.length === 0) return;
  const t = tx.tables.sessions;
  const ids = sessions.map(({ sessionId }) => sessionId);
  await tx.sql
    .update(t)
    .set({ revokedAt: tx.now, revokedReason: reason, expiresAt: tx.now })
    .where(inArray(t.sessionId, ids));
  for (const { sessionId, userId } of sessions) {
    const payload = { session_id: sessionId, user_id: userId, reason };
    record(tx, { type: "v1.session.ended", payload });
  }
}
