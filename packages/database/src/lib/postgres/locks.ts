/** Locks between processes on PostgreSQL: advisory locks of one session. */
import { StoreError } from "@store/identity";
import { startHeartbeat } from "./heartbeat.ts";
import { assertLockName } from "../lock-names.ts";
import type { PostgresSessionConnection } from "./connection.ts";
import type { PostgresServer } from "./server.ts";
import { advisoryKey } from "./url.ts";
import type { HeldLock } from "../types.ts";

/**
 * A holder whose network is gone knows so after both together at the latest, which is before the
 * server gives the session up, after half a minute, and lets another process have the lock.
 */
const defaultPatience = { heartbeatMs: 5_000, answerTimeoutMs: 5_000 };

/**
 * All locks of one open database are held by one session, and are gone with it. The server would
 * let one session have a lock twice, so what is held here is remembered here.
 */
export class PostgresLocks {
  readonly #server: PostgresServer;
  readonly #patience: typeof defaultPatience;
  readonly #held = new Map<string, AbortController>();
  #session: Promise<PostgresSessionConnection> | undefined;
  #closed = false;

  constructor(server: PostgresServer, patience = defaultPatience) {
    this.#server = server;
    this.#patience = patience;
  }

  /** Takes the lock `name` of the instance, unless somebody holds it. */
  async tryLock(name: string): Promise<HeldLock | undefined> {
    assertLockName(name);
    if (this.#closed) throw new StoreError("closed", "The database is closed.");
    if (this.#held.has(name)) return undefined;
    const losing = new AbortController();
    // Before anything is waited for, so that two callers of this process do not both ask.
    this.#held.set(name, losing);
    try {
      const session = await this.#connected();
      const { rows } = await session.batch(`SELECT pg_try_advisory_lock(${this.#key(name)})`);
      if (rows[0]?.[0] !== true) {
        this.#held.delete(name);
        return undefined;
      }
      if (session.isLost) losing.abort(lockLost(name));
      return { signal: losing.signal, release: () => this.#release(session, name, losing) };
    } catch (error) {
      this.#forget(name, losing);
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const session = await this.#session?.catch(() => undefined);
    await session?.close();
  }

  async #release(
    session: PostgresSessionConnection,
    name: string,
    losing: AbortController,
  ): Promise<void> {
    if (losing.signal.aborted || this.#held.get(name) !== losing) return;
    try {
      await session.batch(`SELECT pg_advisory_unlock(${this.#key(name)})`);
    } catch {
      // Only a session that is lost cannot let go, and it has done so by that.
      await session.close();
    } finally {
      this.#forget(name, losing);
    }
  }

  #connected(): Promise<PostgresSessionConnection> {
    this.#session ??= this.#connect();
    return this.#session;
  }

  async #connect(): Promise<PostgresSessionConnection> {
    const { heartbeatMs, answerTimeoutMs } = this.#patience;
    try {
      const session = await this.#server.open({ answerTimeoutMs, onLost: () => this.#lose() });
      startHeartbeat(session, heartbeatMs);
      return session;
    } catch (error) {
      this.#session = undefined;
      throw error;
    }
  }

  #lose(): void {
    this.#session = undefined;
    for (const [name, losing] of this.#held) losing.abort(lockLost(name));
    this.#held.clear();
  }

  #forget(name: string, losing: AbortController): void {
    if (this.#held.get(name) === losing) this.#held.delete(name);
  }

  #key(name: string): string {
    return advisoryKey(`lock ${this.#server.place.schema} ${name}`);
  }
}

function lockLost(name: string): StoreError {
  return new StoreError(
    "aborted",
    `The lock "${name}" was lost with the connection to PostgreSQL; somebody else may hold it now.`,
  );
}
