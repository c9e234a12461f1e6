import { createHash } from "node:crypto";

import { statement } from "@store/database";
import { StoreError } from "@store/identity";
import { canonicalizeJson } from "@store/manifest";
import { and, eq } from "drizzle-orm";

import { shown } from "../arguments.ts";
import { limits } from "../limits.ts";
import { addMilliseconds } from "../times.ts";
import type { View } from "./decision.ts";

/** A request that the caller may repeat. */
export interface IdempotentRequest {
  readonly key: string;
  /** SHA-256 of what was asked. */
  readonly digest: Uint8Array;
}

/** What was asked, part by part, each as it was checked; what is undefined was not said. */
export type RequestParts = Readonly<Record<string, RequestPart>>;
type RequestPart = string | number | boolean | null | Uint8Array | undefined;

/** The request to remember, or undefined where the caller gave no key. */
export function idempotentRequest(
  key: unknown,
  operation: string,
  parts: RequestParts,
): IdempotentRequest | undefined {
  if (key === undefined) return undefined;
  if (typeof key !== "string" || !/^[\x21-\x7e]{1,128}$/.test(key)) {
    throw new StoreError(
      "invalid_argument",
      `An idempotency key is 1 to ${limits.idempotencyKeyLength} printable ASCII characters ` +
        `without spaces, not ${shown(key)}.`,
      { context: { limit: limits.idempotencyKeyLength, actual: shown(key) } },
    );
  }
  const asked: Record<string, string | number | boolean | null> = {};
  for (const [name, part] of Object.entries(parts)) {
    if (part === undefined) continue;
    asked[name] = part instanceof Uint8Array ? sha256(part).toString("hex") : part;
  }
  return { key, digest: sha256(canonicalizeJson([operation, asked])) };
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}

const selectKey = statement((sql, tables, p) =>
  sql
    .select()
    .from(tables.idempotencyKeys)
    .where(
      and(eq(tables.idempotencyKeys.actor, p("actor")), eq(tables.idempotencyKeys.key, p("key"))),
    ),
);

/** The answer given before to the same request, if the key is still remembered. */
export async function recallAnswer(
  view: View,
  actor: string,
  request: IdempotentRequest,
): Promise<{ readonly answer: unknown } | undefined> {
  const [row] = await selectKey(view.sql, { actor, key: request.key });
  if (row === undefined || row.expiresAt <= view.now) return undefined;
  if (Buffer.compare(row.requestDigest, request.digest) !== 0) {
    throw new StoreError(
      "idempotency_conflict",
      `The idempotency key "${request.key}" was used with another request. Use a new key.`,
      { context: { actual: request.key } },
    );
  }
  return { answer: JSON.parse(row.response) };
}

/** Remembers an answer for {@link limits.idempotencyMs}, in the transaction that made it true. */
export async function rememberAnswer(
  view: View,
  actor: string,
  request: IdempotentRequest,
  answer: unknown,
): Promise<void> {
  const { idempotencyKeys } = view.tables;
  const row = {
    requestDigest: request.digest,
    response: JSON.stringify(answer ?? null),
    createdAt: view.now,
    expiresAt: addMilliseconds(view.now, limits.idempotencyMs),
  };
  await view.sql
    .insert(idempotencyKeys)
    .values({ actor, key: request.key, ...row })
    .onConflictDoUpdate({ target: [idempotencyKeys.actor, idempotencyKeys.key], set: row });
}
