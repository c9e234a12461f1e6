/** Lists read from replicas, for as long as these are not too far behind. */
import type { Connection, ResultMode } from "../connection.ts";
import { isCancelled } from "./errors.ts";
import type { PostgresPool } from "./pool.ts";
import type { PostgresServer } from "./server.ts";

/** What replicas are compared by. */
const readHead = "SELECT log_id, size FROM log_head WHERE id = 1";
const longestCheckPauseMs = 1_000;

/** One replica, and who connects to it. */
export interface PostgresReplica {
  readonly server: PostgresServer;
  readonly pool: PostgresPool;
}

interface Followed extends PostgresReplica {
  /** It had all that the primary had at this moment, by `performance.now()`. */
  upToDateMs: number;
}

interface Head {
  readonly logId: unknown;
  readonly size: number;
}

interface Seen {
  readonly atMs: number;
  readonly head: Head;
}

/**
 * How far behind a replica is, is told by the log: it has what the primary had when the log was no
 * longer than the replica's is now. That needs neither equal clocks nor rights, holds for every kind
 * of replication, and is right also where a replica lost its connection. Heads are compared while
 * lists are read, in the background.
 */
export class PostgresReplicas implements Connection {
  readonly #primary: PostgresPool;
  readonly #replicas: readonly Followed[];
  readonly #lagMs: number;
  readonly #seen: Seen[] = [];
  #checkedMs = -Infinity;
  #checking: Promise<void> | undefined;
  #turn = 0;
  #closed = false;

  /** `lagMs` is how far behind a replica may be that is read from. */
  constructor(primary: PostgresPool, replicas: readonly PostgresReplica[], lagMs: number) {
    this.#primary = primary;
    this.#replicas = replicas.map((replica) => ({ ...replica, upToDateMs: -Infinity }));
    this.#lagMs = lagMs;
  }

  /** Reads from a replica that answers, else from the primary. */
  async execute(text: string, parameters: readonly unknown[], mode: ResultMode): Promise<unknown> {
    this.#keepChecked();
    const replica = this.#next();
    if (replica !== undefined) {
      try {
        return await replica.pool.execute(text, parameters, mode);
      } catch (error) {
        // What took too long there would take as long again.
        if (isCancelled(error)) throw error;
        replica.upToDateMs = -Infinity;
      }
    }
    return await this.#primary.execute(text, parameters, mode);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(
      this.#replicas.map(async ({ pool, server }) => {
        await pool.close();
        await server.close();
      }),
    );
    await this.#checking;
  }

  /** They take turns. */
  #next(): Followed | undefined {
    const oldestMs = performance.now() - this.#lagMs;
    const usable = this.#replicas.filter(({ upToDateMs }) => upToDateMs >= oldestMs);
    this.#turn += 1;
    return usable[this.#turn % usable.length];
  }

  #keepChecked(): void {
    const pauseMs = Math.min(longestCheckPauseMs, this.#lagMs / 2);
    if (this.#closed || performance.now() - this.#checkedMs < pauseMs) return;
    this.#checking ??= this.#check().finally(() => {
      this.#checkedMs = performance.now();
      this.#checking = undefined;
    });
  }

  async #check(): Promise<void> {
    // Asked first, so that the replica has had a little longer, and never less.
    const atMs = performance.now();
    const head = await headOf(this.#primary);
    if (head === undefined) return;
    this.#seen.push({ atMs, head });
    while ((this.#seen[0]?.atMs ?? atMs) < atMs - this.#lagMs) this.#seen.shift();
    await Promise.all(this.#replicas.map((replica) => this.#compare(replica)));
  }

  async #compare(replica: Followed): Promise<void> {
    const head = await headOf(replica.pool);
    const reached = this.#seen.findLast(
      (seen) => head !== undefined && seen.head.logId === head.logId && seen.head.size <= head.size,
    );
    replica.upToDateMs = reached?.atMs ?? -Infinity;
  }
}

/** Nothing where there is no log, or nobody who answers. */
async function headOf(pool: PostgresPool): Promise<Head | undefined> {
  try {
    const rows = (await pool.execute(readHead, [], "rows")) as unknown[][];
    const [row] = rows;
    return row && { logId: row[0], size: Number(row[1]) };
  } catch {
    return undefined;
  }
}
