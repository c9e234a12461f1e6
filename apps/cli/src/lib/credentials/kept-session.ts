import type { Session } from "@store/client";
import { isStoreError, StoreError } from "@store/identity";

import type { CredentialsFile, StoredSession } from "./credentials-file.ts";

/** Within this of its end an access token is exchanged before it is used. */
const marginMs = 30_000;

export interface KeptSessionOptions {
  readonly url: string;
  readonly file: CredentialsFile;
  readonly session: StoredSession;
  /** Exchanges a refresh token, once. */
  readonly refresh: (refreshToken: string) => Promise<Session>;
}

/**
 * The session that the credentials file keeps for a server, alive for as long as a command needs it.
 *
 * A refresh token works once, and one that is used again ends its session. So whoever refreshes
 * holds the file, and first looks whether another process has done it meanwhile.
 */
export class KeptSession {
  readonly #options: KeptSessionOptions;
  #current: { readonly session: StoredSession; readonly freshUntilMs: number };
  #renewing: Promise<string> | undefined;

  constructor(options: KeptSessionOptions) {
    this.#options = options;
    this.#current = withFreshness(options.session);
  }

  /** A token for a request; another one than what the server `refused`. */
  async token(refused?: string): Promise<string> {
    const { session, freshUntilMs } = this.#current;
    if (session.accessToken !== refused && Date.now() < freshUntilMs) return session.accessToken;
    this.#renewing ??= this.#renew(session.accessToken, refused).finally(() => {
      this.#renewing = undefined;
    });
    try {
      return await this.#renewing;
    } catch (error) {
      // What is still good may be used while the server cannot give another.
      const isOver = isStoreError(error, "unauthenticated") || session.accessToken === refused;
      if (isOver || Date.now() >= endOf(session)) throw error;
      return session.accessToken;
    }
  }

  async #renew(known: string, refused: string | undefined): Promise<string> {
    const { url, file, refresh } = this.#options;
    return await file.change(async (sessions, save) => {
      const stored = sessions.get(url);
      if (stored === undefined) throw ended(url);
      const isAnother = stored.accessToken !== known && stored.accessToken !== refused;
      if (isAnother && Date.now() < endOf(stored)) return this.#adopt(stored);
      try {
        const fresh = { ...(await refresh(stored.refreshToken)), username: stored.username };
        await save(new Map([...sessions, [url, fresh]]));
        return this.#adopt(fresh);
      } catch (error) {
        if (!isStoreError(error, "unauthenticated")) throw error;
        await save(new Map([...sessions].filter(([other]) => other !== url)));
        throw ended(url, error);
      }
    });
  }

  #adopt(session: StoredSession): string {
    this.#current = withFreshness(session);
    return session.accessToken;
  }
}

function withFreshness(session: StoredSession) {
  const endMs = endOf(session);
  // A token that lives for less than the margin is used for most of its life all the same.
  const leftMs = Math.max(0, endMs - Date.now());
  return { session, freshUntilMs: endMs - Math.min(marginMs, leftMs / 4) };
}

function endOf({ expiresAt }: Session): number {
  return expiresAt === undefined ? Infinity : Date.parse(expiresAt);
}

function ended(url: string, cause?: unknown): StoreError {
  return new StoreError("unauthenticated", `The session at ${url} has ended.`, { cause });
}
