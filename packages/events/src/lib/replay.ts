import type { Scratch, Sql, Tables } from "@store/database";

import { assertReachesHead, emptyChain, extendChain, type Chain } from "./chain.ts";
import type { EventLog } from "./log.ts";
import { pagesOf } from "./pages.ts";
import type { StoredEvent } from "./stored-event.ts";

/** Writes one event into the views. */
export type Project = (
  tx: { readonly sql: Sql; readonly tables: Tables },
  event: StoredEvent,
) => Promise<void>;

/** How far a replay is. */
export interface ReplayProgress {
  /** Events projected. */
  readonly events: number;
  /** Events that the log had when it was last looked at. */
  readonly total: number;
}

/** How to replay. */
export interface ReplayOptions {
  /** Called after every page of events. */
  readonly onProgress?: (progress: ReplayProgress) => void;
}

/** A replay that has come to the end of the log, as the log was then. */
export interface Replay {
  /** Events projected so far. */
  readonly events: number;
  /** Projects what was appended since; for use while the writer's lock is held. */
  catchUp(): Promise<void>;
}

/**
 * Projects every event of the log in order into empty views, a page of events to a transaction,
 * and holds the log against its head on the way: views are never rebuilt from a log that was
 * tampered with. Then hand `catchUp` to {@link Scratch.compare} or {@link Scratch.swap}.
 *
 * @throws {StoreError} `log_corrupt` naming the first event that is wrong, and whatever `project`
 *   throws
 */
export async function replay(
  log: EventLog,
  scratch: Scratch,
  project: Project,
  options: ReplayOptions = {},
): Promise<Replay> {
  const run = new ReplayRun(log, scratch, project, options);
  await run.catchUp();
  return run;
}

class ReplayRun implements Replay {
  readonly #log: EventLog;
  readonly #scratch: Scratch;
  readonly #project: Project;
  readonly #options: ReplayOptions;
  #chain: Chain | undefined;

  constructor(log: EventLog, scratch: Scratch, project: Project, options: ReplayOptions) {
    this.#log = log;
    this.#scratch = scratch;
    this.#project = project;
    this.#options = options;
  }

  get events(): number {
    return this.#chain?.tree.size ?? 0;
  }

  readonly catchUp = async (): Promise<void> => {
    const head = await this.#log.head();
    let chain = this.#chain ?? emptyChain(head.logId);
    for await (const events of pagesOf(this.#log.database, chain.tree.size, head.size)) {
      chain = await this.#projectPage(events, chain);
      this.#options.onProgress?.({ events: chain.tree.size, total: head.size });
    }
    assertReachesHead(chain, head);
    this.#chain = chain;
  };

  #projectPage(events: readonly StoredEvent[], before: Chain): Promise<Chain> {
    const tx = { sql: this.#scratch.sql, tables: this.#scratch.tables };
    return this.#scratch.transaction(async () => {
      let chain = before;
      for (const event of events) {
        chain = extendChain(chain, event);
        await this.#project(tx, event);
      }
      return chain;
    });
  }
}
