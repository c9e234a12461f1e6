import { and, asc, inArray, isNotNull, lte, or } from "drizzle-orm";

import { record } from "./events/record.ts";
import type { AccessInstance } from "./instance.ts";
import { formatTime } from "./times.ts";
import type { AccessSweepReport } from "./types.ts";

/** Rows that one round takes, so that others' commands come between. */
const perRound = 100;
/** How long a token that has ended is still shown. */
const tokensKeptMs = 30 * 24 * 60 * 60 * 1_000;

/** Removes what has ended and is of no more use. */
export async function sweepAccounts(instance: AccessInstance): Promise<AccessSweepReport> {
  const { clockSkewMs, accessTokenMs } = instance.rules;
  const now = instance.clock();
  // Until the last access token of a retired key has expired everywhere.
  const pastTokens = formatTime(now - accessTokenMs - 2 * clockSkewMs);
  return {
    sessionsRemoved: await inRounds(() => sweepSessions(instance, formatTime(now))),
    tokensRemoved: await inRounds(() => sweepTokens(instance, formatTime(now - tokensKeptMs))),
    keysRemoved: await inRounds(() => sweepKeys(instance, pastTokens)),
  };
}

async function inRounds(round: () => Promise<number>): Promise<number> {
  let total = 0;
  for (;;) {
    const removed = await round();
    total += removed;
    if (removed < perRound) return total;
  }
}

function sweepSessions({ log, actor }: AccessInstance, now: string): Promise<number> {
  return log.transact(actor, async (tx) => {
    const { sessions: t } = tx.tables;
    const rows = await tx.sql
      .select()
      .from(t)
      .where(lte(t.expiresAt, now))
      .orderBy(asc(t.expiresAt))
      .limit(perRound);
    for (const { sessionId, userId, revokedAt } of rows) {
      if (revokedAt !== null) continue;
      const payload = { session_id: sessionId, user_id: userId, reason: "expired" as const };
      record(tx, { type: "v1.session.ended", payload });
    }
    const ids = rows.map(({ sessionId }) => sessionId);
    if (ids.length > 0) await tx.sql.delete(t).where(inArray(t.sessionId, ids));
    return ids.length;
  });
}

function sweepTokens({ database }: AccessInstance, endedBefore: string): Promise<number> {
  return database.write(async ({ sql, tables: { apiTokens: t } }) => {
    const rows = await sql
      .select({ tokenId: t.tokenId })
      .from(t)
      .where(or(lte(t.expiresAt, endedBefore), lte(t.revokedAt, endedBefore)))
      .limit(perRound);
    const ids = rows.map(({ tokenId }) => tokenId);
    if (ids.length > 0) await sql.delete(t).where(inArray(t.tokenId, ids));
    return ids.length;
  });
}

function sweepKeys({ database }: AccessInstance, retiredBefore: string): Promise<number> {
  return database.write(async ({ sql, tables: { signingKeys: t } }) => {
    const rows = await sql
      .select({ keyId: t.keyId })
      .from(t)
      .where(and(isNotNull(t.retiredAt), lte(t.retiredAt, retiredBefore)))
      .limit(perRound);
    const ids = rows.map(({ keyId }) => keyId);
    if (ids.length > 0) await sql.delete(t).where(inArray(t.keyId, ids));
    return ids.length;
  });
}
