import type { LogTransaction } from "@store/events";
import { cursorOf, pageLimit, pageOf } from "@store/registry/pages";
import { asc, eq, gt, isNull } from "drizzle-orm";
import * as v from "valibot";
import type { Row } from "@store/database";

import type { Access } from "../access.ts";
import { algorithm, newKeyPair } from "../credentials/key-ring.ts";
import { record } from "../events/record.ts";
import type { AccessInstance } from "../instance.ts";
import { requireAccess } from "../principal.ts";
import type { KeyInfo } from "../types.ts";

type KeyCommands = Pick<Access, "listKeys" | "rotateKey">;

const cursor = cursorOf("keys", [v.pipe(v.string(), v.maxLength(64))]);

/** The keys that sign access tokens. */
export function keyCommands(instance: AccessInstance): KeyCommands {
  const { database, log, keys } = instance;
  return {
    listKeys: async (by, page = {}) => {
      requireAccess(by, "instance");
      const limit = pageLimit(page);
      const after = cursor.decode(page.cursor)?.[0];
      const { signingKeys: t } = database.tables;
      const rows = await database.reader
        .select()
        .from(t)
        .where(after === undefined ? undefined : gt(t.keyId, after))
        .orderBy(asc(t.keyId))
        .limit(limit + 1);
      return pageOf(rows, limit, {
        cursor: ({ keyId }) => cursor.encode([keyId]),
        item: keyInfo,
      });
    },

    rotateKey: async (by) => {
      requireAccess(by, "instance");
      const key = await newKey(instance);
      const row = await log.transact(by.actor, async (tx) => {
        const { signingKeys: t } = tx.tables;
        const retiring = await tx.sql.select().from(t).where(isNull(t.retiredAt));
        for (const { keyId } of retiring) {
          await tx.sql.update(t).set({ retiredAt: tx.now }).where(eq(t.keyId, keyId));
          record(tx, { type: "v1.key.retired", payload: { key_id: keyId } });
        }
        return await addKey(tx, key);
      });
      keys.forget();
      return keyInfo(row);
    },
  };
}

/** Makes the first key of an instance; of several processes that do this at once, one does. */
export async function ensureKey(instance: Omit<AccessInstance, "keys">): Promise<void> {
  const { database, log, actor } = instance;
  const { signingKeys: t } = database.tables;
  const active = await database.reader.select().from(t).where(isNull(t.retiredAt)).limit(1);
  if (active.length > 0) return;
  const key = await newKey(instance);
  await log.transact(actor, async (tx) => {
    const present = await tx.sql.select().from(t).where(isNull(t.retiredAt)).limit(1);
    if (present.length === 0) await addKey(tx, key);
  });
}

type KeyRow = Row<"signingKeys">;
type NewKey = Pick<KeyRow, "keyId" | "publicKey" | "privateKey">;

/** Made outside the writer, for whom nobody should wait longer than needed. */
async function newKey({ ids }: Pick<AccessInstance, "ids">): Promise<NewKey> {
  return { keyId: ids(), ...(await newKeyPair()) };
}

async function addKey(tx: LogTransaction, key: NewKey): Promise<KeyRow> {
  const row: KeyRow = { ...key, algorithm, createdAt: tx.now, retiredAt: null };
  await tx.sql.insert(tx.tables.signingKeys).values(row);
  record(tx, { type: "v1.key.created", payload: { key_id: key.keyId, algorithm } });
  return row;
}

function keyInfo(row: KeyRow): KeyInfo {
  return {
    id: row.keyId,
    algorithm: row.algorithm,
    createdAt: row.createdAt,
    ...(row.retiredAt === null ? {} : { retiredAt: row.retiredAt }),
  };
}
