/** Connections for reading: a bounded number of them, and of those who wait for one. */
import { setTimeout as sleep } from "node:timers/promises";
import { StoreError, isStoreError } from "@store/identity";
import type { Connection, ResultMode } from "../connection.ts";
import type { PostgresSessionConnection, SessionOptions } from "./connection.ts";
import { isPassingConflict } from "./errors.ts";
import type { PostgresServer } from "./server.ts";
import { QuickTexts } from "./quick-texts.ts";

/** Limits of a pool. */
export interface PoolLimits {
  readonly connections: number;
  /** Most reads that wait for a connection; more are refused. */
  readonly waitLimit: number;
  /** Longest wait for a connection, in milliseconds. */
  readonly waitTimeoutMs: number;
}

/** One connection, and what runs on it. */
interface Lane {
  readonly session: PostgresSessionConnection;
  running: number;
  /** Whether all that runs on it is known to be quick, so that more of that may follow. */
  isQuick: boolean;
  /** When it was last used, by `performance.now()`. */
  usedMs: number;
}

interface Waiter {
  readonly isQuick: boolean;
  readonly resolve: (lane: Lane) => void;
  readonly reject: (error: StoreError) => void;
}

/** Most quick reads that travel one behind another on one connection. */
const depthLimit = 8;
/** How often a read is done that was in the way of another transaction, or lost its connection. */
const attemptLimit = 4;
const shortestPauseMs = 10;
/** How long a closing waits for reads that run. */
const closeTimeoutMs = 5_000;

/**
 * A read has a connection for itself, so that a slow one holds up no other. Where all connections
 * are taken, reads that are known to be quick follow one another without waiting for answers.
 */
export class PostgresPool implements Connection {
  readonly #server: PostgresServer;
  readonly #limits: PoolLimits;
  readonly #options: SessionOptions;
  readonly #lanes = new Set<Lane>();
  readonly #waiting: Waiter[] = [];
  readonly #quick = new QuickTexts();
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
    const isQuick = this.#quick.has(text);
    for (let attempt = 1; ; attempt += 1) {
      if (this.#closed) throw closedError();
      const free = this.#waiting.length > 0 ? undefined : this.#take(isQuick);
      const lane = free ?? (await this.#wait(isQuick));
      const begunMs = performance.now();
      try {
        const result = await lane.session.execute(text, parameters, mode);
        this.#quick.ran(text, performance.now() - begunMs);
        return result;
      } catch (error) {
        // A server that was silent has cost enough time.
        const wasQuick = performance.now() - begunMs < this.#limits.waitTimeoutMs;
        const mayPass = isPassingConflict(error) || (lane.session.isLost && wasQuick);
        if (attempt === attemptLimit || this.#closed || !mayPass) throw error;
      } finally {
        this.#release(lane);
      }
      await sleep(shortestPauseMs * 2 ** attempt * (0.5 + Math.random() / 2));
    }
  }

  /** Refuses new reads, lets those that run end, and disconnects. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#refuseAll(closedError());
    if (!this.#isQuiet) {
      const quiet = new Promise<void>((resolve) => {
        this.#quiet = resolve;
      });
      await Promise.race([quiet, sleep(closeTimeoutMs, undefined, { ref: false })]);
    }
    await Promise.all([...this.#lanes].map(({ session }) => session.close()));
  }

  get #isQuiet(): boolean {
    for (const { running } of this.#lanes) if (running > 0) return false;
    return true;
  }

  /** A place for one read, where there is one now. */
  #take(isQuick: boolean): Lane | undefined {
    const lane = this.#idleLane() ?? (isQuick && this.#isFull ? this.#quickLane() : undefined);
    if (lane === undefined) return undefined;
    lane.isQuick = lane.running === 0 ? isQuick : lane.isQuick && isQuick;
    lane.running += 1;
    return lane;
  }

  /** The idle one that was used last; those that the network may have forgotten are given up. */
  #idleLane(): Lane | undefined {
    let latest: Lane | undefined;
    for (const lane of this.#lanes) {
      if (lane.running > 0) continue;
      if (lane.usedMs <= this.#server.silentMs) {
        this.#lanes.delete(lane);
        void lane.session.close();
      } else if (latest === undefined || lane.usedMs > latest.usedMs) latest = lane;
    }
    return latest;
  }

  /** The one with the fewest reads, all of which are quick. */
  #quickLane(): Lane | undefined {
    let shortest: Lane | undefined;
    for (const lane of this.#lanes) {
      if (!lane.isQuick || lane.running >= depthLimit) continue;
      if (shortest === undefined || lane.running < shortest.running) shortest = lane;
    }
    return shortest;
  }

  get #isFull(): boolean {
    return this.#lanes.size + this.#opening >= this.#limits.connections;
  }

  async #wait(isQuick: boolean): Promise<Lane> {
    const { waitLimit, waitTimeoutMs } = this.#limits;
    if (this.#waiting.length >= waitLimit) throw tooMany(waitLimit);
    const { promise, resolve, reject } = Promise.withResolvers<Lane>();
    const waiter = { isQuick, resolve, reject };
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

  #release(lane: Lane): void {
    lane.running -= 1;
    lane.usedMs = performance.now();
    if (this.#closed && this.#isQuiet) this.#quiet?.();
    if (this.#waiting.length > 0) this.#serve();
  }

  /** Hands out what is free, in order, and opens as many connections as are wanted and allowed. */
  #serve(): void {
    for (let [next] = this.#waiting; next !== undefined; [next] = this.#waiting) {
      const lane = this.#take(next.isQuick);
      if (lane === undefined) break;
      this.#waiting.shift();
      next.resolve(lane);
    }
    const wanted = this.#waiting.length - this.#opening;
    const allowed = this.#limits.connections - this.#lanes.size - this.#opening;
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
      if (this.#lanes.size > 0 || this.#opening > 0) return;
      this.#refuseAll(isStoreError(error) ? error : unknownFailure(error));
    }
  }

  async #add(session: PostgresSessionConnection): Promise<void> {
    if (this.#closed) {
      await session.close();
      return;
    }
    if (!session.isLost) {
      this.#lanes.add({ session, running: 0, isQuick: true, usedMs: performance.now() });
    }
    this.#serve();
  }

  #sweep(): void {
    for (const lane of this.#lanes) if (lane.session.isLost) this.#lanes.delete(lane);
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
