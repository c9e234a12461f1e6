/** Connections for reading: a bounded number of them, and of those who wait for one. */
import { setTimeout as sleep } from "node:timers/promises";
import { StoreError } from "@store/identity";
import type { Connection, ResultMode } from "./connection.ts";
import type { PostgresSessionConnection, SessionOptions } from "./postgres-connection.ts";
import { isPassingConflict } from "./postgres-errors.ts";
import type { PostgresServer } from "./postgres-server.ts";

/** Limits of a pool. */
export interface PoolLimits {
  readonly connections: number;
  /** Most reads that wait for a connection; more are refused. */
  readonly waitLimit: number;
  /** Longest wait for a connection, in milliseconds. */
  readonly waitTimeoutMs: number;
}

interface Idle {
  readonly session: PostgresSessionConnection;
  readonly sinceMs: number;
}

interface Waiter {
  readonly resolve: (session: PostgresSessionConnection) => void;
  readonly reject: (error: StoreError) => void;
}

/** How often a read is done that was in the way of another transaction, or lost its connection. */
const attemptLimit = 4;
const shortestPauseMs = 10;
/** How long a closing waits for reads that run. */
const closeTimeoutMs = 5_000;

/** Each read has a connection for itself, so that a slow one holds up no other. */
export class PostgresPool implements Connection {
  readonly #server: PostgresServer;
  readonly #limits: PoolLimits;
  readonly #options: SessionOptions;
  readonly #sessions = new Set<PostgresSessionConnection>();
  readonly #idle: Idle[] = [];
  readonly #waiting: Waiter[] = [];
  #opening = 0;
  #closed = false;
  #quiet: (() => void) | undefined;

  constructor(server: PostgresServer, limits: PoolLimits, options: SessionOptions) {
    this.#server = server;
    this.#limits = limits;
    this.#options = { ...options, onLost: () => this.#sweep() };
  }

  /** A read changes nothing, so one that failed in passing is done again. */
  async execute(text: string, parameters: readonly unknown[], mode: ResultMode): Promise<unknown> {
    for (let attempt = 1; ; attempt += 1) {
      const session = this.#takeIdle() ?? (await this.#wait());
      const begunMs = performance.now();
      try {
        return await session.execute(text, parameters, mode);
      } catch (error) {
        // A server that was silent has cost enough time.
        const wasQuick = performance.now() - begunMs < this.#limits.waitTimeoutMs;
        const mayPass = isPassingConflict(error) || (session.isLost && wasQuick);
        if (attempt === attemptLimit || this.#closed || !mayPass) throw error;
      } finally {
        this.#release(session);
      }
      await sleep(shortestPauseMs * 2 ** attempt * (0.5 + Math.random() / 2));
    }
  }

  /** Refuses new reads, lets those that run end, and disconnects. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#refuseAll(closedError());
    if (this.#sessions.size > this.#idle.length) {
      const quiet = new Promise<void>((resolve) => {
        this.#quiet = resolve;
      });
      await Promise.race([quiet, sleep(closeTimeoutMs, undefined, { ref: false })]);
    }
    await Promise.all([...this.#sessions].map((session) => session.close()));
  }

  #takeIdle(): PostgresSessionConnection | undefined {
    if (this.#closed) throw closedError();
    return this.#waiting.length > 0 ? undefined : this.#popIdle();
  }

  /** The one that was used last; those that the network may have forgotten are given up. */
  #popIdle(): PostgresSessionConnection | undefined {
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      if (idle.sinceMs > this.#server.silentMs) return idle.session;
      void idle.session.close();
    }
    return undefined;
  }

  async #wait(): Promise<PostgresSessionConnection> {
    const { waitLimit, waitTimeoutMs } = this.#limits;
    if (this.#waiting.length >= waitLimit) throw tooMany(waitLimit);
    const { promise, resolve, reject } = Promise.withResolvers<PostgresSessionConnection>();
    const waiter = { resolve, reject };
    this.#waiting.push(waiter);
    const timer = setTimeout(() => {
      const place = this.#waiting.indexOf(waiter);
      if (place >= 0) this.#waiting.splice(place, 1);
      reject(tooLong(waitTimeoutMs));
    }, waitTimeoutMs);
    this.#serve();
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
    }
  }

  #release(session: PostgresSessionConnection): void {
    if (!session.isLost) this.#idle.push({ session, sinceMs: performance.now() });
    if (this.#closed && this.#sessions.size === this.#idle.length) this.#quiet?.();
    this.#serve();
  }

  /** Hands out what is idle, and opens as many connections as are wanted and allowed. */
  #serve(): void {
    while (this.#waiting.length > 0) {
      const session = this.#popIdle();
      if (session === undefined) break;
      this.#waiting.shift()?.resolve(session);
    }
    const wanted = this.#waiting.length - this.#opening;
    const allowed = this.#limits.connections - this.#sessions.size - this.#opening;
    for (let count = Math.min(wanted, allowed); count > 0; count -= 1) void this.#open();
  }

  async #open(): Promise<void> {
    this.#opening += 1;
    try {
      const session = await this.#server.open(this.#options);
      this.#opening -= 1;
      await this.#add(session);
    } catch (error) {
      this.#opening -= 1;
      // Where a server has no connection left for us, those that it gave us are waited for.
      if (this.#sessions.size > 0 || this.#opening > 0) return;
      this.#refuseAll(error instanceof StoreError ? error : unknownFailure(error));
    }
  }

  async #add(session: PostgresSessionConnection): Promise<void> {
    if (this.#closed) {
      await session.close();
      return;
    }
    this.#sessions.add(session);
    this.#release(session);
  }

  #sweep(): void {
    for (const session of this.#sessions) if (session.isLost) this.#sessions.delete(session);
    for (let place = this.#idle.length - 1; place >= 0; place -= 1) {
      if (this.#idle[place]?.session.isLost === true) this.#idle.splice(place, 1);
    }
    if (!this.#closed) this.#serve();
  }

  #refuseAll(error: StoreError): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}

function closedError(): StoreError {
  return new StoreError("closed", "The database is closed.");
}

function unknownFailure(cause: unknown): StoreError {
  return new StoreError("internal", "A connection failed in an unknown way.", { cause });
}

function tooMany(limit: number): StoreError {
  return new StoreError(
    "database_unavailable",
    `More than ${limit} reads wait for a connection to PostgreSQL; try again later.`,
    { context: { limit } },
  );
}

function tooLong(limit: number): StoreError {
  return new StoreError(
    "database_unavailable",
    `A read waited for ${limit} ms for a connection to PostgreSQL; try again later.`,
    { context: { limit } },
  );
}
