import type { SessionJson } from "@store/api";
import { isStoreError, type StoreError } from "@store/identity";

import { abortedError } from "./http/failures.ts";

/** The tokens of a session. Both are secrets. */
export interface Session {
  readonly accessToken: string;
  /** Works once: refreshing gives another. */
  readonly refreshToken: string;
  /** When the access token ends, by this machine's clock; RFC 3339. */
  readonly expiresAt?: string;
  readonly refreshExpiresAt?: string;
}

/** A session that the client keeps alive. */
export interface SessionCredential extends Session {
  /** Told of the new tokens before they are used, so that they can be kept. */
  readonly onRefreshed?: (session: Session) => void | Promise<void>;
}

/**
 * An API token, a session, or a function that gives a token for each request. The function is asked
 * again, with the token that it gave, where the server refuses that; another one is tried then.
 */
export type Credential =
  | { readonly token: string }
  | SessionCredential
  | ((refused?: string) => Promise<string>);

/** The tokens of an answer; their ends are counted from now, whatever the server's clock says. */
export function decodeSession(json: SessionJson): Session {
  const after = (seconds: number): string => new Date(Date.now() + seconds * 1000).toISOString();
  return {
    accessToken: json.access_token,
    refreshToken: json.refresh_token,
    expiresAt: after(json.expires_in),
    refreshExpiresAt: after(json.refresh_expires_in),
  };
}

/** Within this of its end an access token is refreshed before it is used. */
const marginMs = 30_000;

/**
 * Knows what to authenticate with. A session is refreshed shortly before its access token ends
 * and when the server refuses it, once for all who wait, since a refresh token works once.
 */
export class Credentials {
  readonly #refresh: (refreshToken: string) => Promise<Session>;
  #credential: Credential | undefined;
  #refreshFrom = Infinity;
  #endsAt = Infinity;
  #refreshing: Promise<string> | undefined;

  constructor(
    credential: Credential | undefined,
    refresh: (refreshToken: string) => Promise<Session>,
  ) {
    this.#refresh = refresh;
    this.#credential = credential;
    if (isSession(credential)) this.#schedule(credential);
  }

  get session(): Session | undefined {
    return isSession(this.#credential) ? this.#credential : undefined;
  }

  /** Goes on with this session, or with none. */
  adopt(session: Session | undefined): void {
    const before = this.#credential;
    const { onRefreshed } = isSession(before) ? before : {};
    this.#credential =
      session === undefined || onRefreshed === undefined ? session : { ...session, onRefreshed };
    if (session !== undefined) this.#schedule(session);
  }

  /** The token for a request; undefined where there is none. */
  async token(signal: AbortSignal | undefined): Promise<string | undefined> {
    const credential = this.#credential;
    if (credential === undefined) return undefined;
    if (typeof credential === "function") return credential();
    if ("token" in credential) return credential.token;
    if (Date.now() < this.#refreshFrom) return credential.accessToken;
    try {
      return await untilAborted(this.#renewed(credential), signal);
    } catch (error) {
      // What is still good may be used while the server cannot give another.
      const isRefused = isStoreError(error, "unauthenticated") || signal?.aborted === true;
      if (isRefused || Date.now() >= this.#endsAt) throw error;
      return credential.accessToken;
    }
  }

  /** Whether there is another token than the one that the server refused. */
  async renew(refused: string, signal: AbortSignal | undefined): Promise<boolean> {
    const credential = this.#credential;
    if (typeof credential === "function") return (await credential(refused)) !== refused;
    if (!isSession(credential)) return false;
    if (credential.accessToken !== refused) return true;
    await untilAborted(this.#renewed(credential), signal);
    return true;
  }

  #renewed(session: SessionCredential): Promise<string> {
    this.#refreshing ??= this.#exchange(session).finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  async #exchange(session: SessionCredential): Promise<string> {
    const fresh = await this.#refresh(session.refreshToken);
    await session.onRefreshed?.(fresh);
    // Somebody may have logged in or out meanwhile.
    if (this.#credential === session) this.adopt(fresh);
    return fresh.accessToken;
  }

  #schedule({ expiresAt }: Session): void {
    this.#endsAt = expiresAt === undefined ? Infinity : Date.parse(expiresAt);
    const leftMs = this.#endsAt - Date.now();
    this.#refreshFrom = this.#endsAt - Math.min(marginMs, Math.max(0, leftMs) / 4);
  }
}

function isSession(credential: Credential | undefined): credential is SessionCredential {
  return typeof credential === "object" && "refreshToken" in credential;
}

/** The refreshing goes on for the others who wait for it. */
function untilAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(gaveUp(signal));
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    const settled = (): void => signal.removeEventListener("abort", abort);
    promise.then(settled, settled);
    promise.then(resolve, reject);
  });
}

function gaveUp(signal: AbortSignal): StoreError {
  return abortedError("refreshing the session", signal);
}
