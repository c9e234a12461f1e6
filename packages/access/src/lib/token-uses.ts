import type { Database } from "@store/database";
import { and, eq, isNull, lt, or } from "drizzle-orm";

import { formatTime } from "./times.ts";

/** How exact the time of a token's last use is. */
const exactMs = 60_000;
const mostWaiting = 1_000;

/** When API tokens were last used: written now and then, many at once, and never waited for. */
export class TokenUses {
  readonly #database: Database;
  readonly #clock: () => number;
  #waiting = new Map<string, string>();

  constructor(database: Database, clock: () => number) {
    this.#database = database;
    this.#clock = clock;
  }

  get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  /** Notes a use now, unless the last one that is known is less than a minute ago. */
  add(tokenId: string, lastUsedAt: string | null): void {
    const now = this.#clock();
    if (lastUsedAt !== null && now - Date.parse(lastUsedAt) < exactMs) return;
    if (this.#waiting.size < mostWaiting) this.#waiting.set(tokenId, formatTime(now));
  }

  async flush(): Promise<void> {
    if (this.isEmpty) return;
    const waiting = this.#waiting;
    this.#waiting = new Map();
    await this.#database.write(async ({ sql, tables: { apiTokens: t } }) => {
      for (const [tokenId, usedAt] of waiting) {
        await sql
          .update(t)
          .set({ lastUsedAt: usedAt })
          .where(and(eq(t.tokenId, tokenId), or(isNull(t.lastUsedAt), lt(t.lastUsedAt, usedAt))));
      }
    });
  }
}
