import { isStoreError, type StoreErrorCode } from "@store/identity";

import {
  alsoWritten,
  backendFailed,
  copyArchived,
  copyDamaged,
  copyMended,
  type FoundCopy,
  type WrittenCopy,
} from "../commands/copies.ts";
import { unchanged, type Decide } from "../commands/decision.ts";
import { runCommand, type CommandRunner } from "../commands/run.ts";
import { formatTime } from "../times.ts";

/** What reports are recorded with; `actor` is the instance's own. */
export interface Reporter extends CommandRunner {
  readonly actor: string;
}

/**
 * Records that a copy is missing or corrupt, unless that is known; says whether it was news.
 * Resolves once it is durable.
 */
export function reportFinding(
  reporter: Reporter,
  { finding, ...found }: FoundCopy & { readonly finding: "missing" | "corrupt" },
): Promise<boolean> {
  return recordNews(reporter, copyDamaged(found, finding));
}

/** Records that a copy that was missing or corrupt is whole again; says whether it was news. */
export function reportWhole(reporter: Reporter, found: FoundCopy): Promise<boolean> {
  return recordNews(reporter, copyMended(found));
}

/** Records what is news about a copy that was written in place of a damaged one. */
export function reportWritten(reporter: Reporter, written: WrittenCopy): Promise<boolean> {
  return recordNews(
    reporter,
    alsoWritten(async () => unchanged(true), written),
  );
}

/** Most reports are none: the writer is asked only for what is news to a reader. */
async function recordNews(reporter: Reporter, decide: Decide<boolean>): Promise<boolean> {
  const { database, clock, actor } = reporter;
  const now = formatTime(clock());
  const decision = await decide({ sql: database.reader, tables: database.tables, now });
  if (decision.events.length === 0) return false;
  return runCommand(reporter, actor, decide);
}

/** Reports that wait; one that finds no room is dropped, and found again by the next read. */
const mostWaiting = 1_000;
/** Reports that are recorded at the same time. */
const atOnce = 32;
const shortestDelayMs = 1_000;
const longestDelayMs = 60_000;

/**
 * Records what reads find out, behind their backs: a report neither slows a read down nor fails it.
 * What cannot be recorded now is tried again later, and dropped when the instance closes.
 */
export class Reports {
  readonly #reporter: Reporter;
  readonly #waiting = new Map<string, Decide<boolean>>();
  #running: Promise<void> | undefined;
  #retry: NodeJS.Timeout | undefined;
  #delayMs = shortestDelayMs;
  #closed = false;

  constructor(reporter: Reporter) {
    this.#reporter = reporter;
  }

  damaged(found: FoundCopy, finding: "missing" | "corrupt"): void {
    this.#add(`${found.backend} ${found.address}`, copyDamaged(found, finding));
  }

  /** It lies in an archive, and was thought to be readable. */
  archived(found: FoundCopy): void {
    this.#add(`${found.backend} ${found.address}`, copyArchived(found));
  }

  whole(found: FoundCopy): void {
    this.#add(`${found.backend} ${found.address}`, copyMended(found));
  }

  failed(backend: string, reason: StoreErrorCode): void {
    this.#add(backend, backendFailed(backend, reason));
  }

  /** Tries once more to record what waits, and ends. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    await this.#running;
    await this.#record();
  }

  #add(key: string, decide: Decide<boolean>): void {
    if (this.#closed || (this.#waiting.size >= mostWaiting && !this.#waiting.has(key))) return;
    this.#waiting.set(key, decide);
    // While a failure is waited out, the timer begins again.
    if (this.#retry === undefined) this.#start();
  }

  #start(): void {
    this.#running ??= this.#record().finally(() => {
      this.#running = undefined;
      if (this.#waiting.size > 0 && this.#retry === undefined && !this.#closed) this.#start();
    });
  }

  async #record(): Promise<void> {
    while (this.#waiting.size > 0) {
      const some = [...this.#waiting].slice(0, atOnce);
      const outcomes = await Promise.all(some.map((report) => this.#recordOne(report)));
      if (outcomes.every(Boolean)) this.#delayMs = shortestDelayMs;
      else return this.#later();
    }
  }

  /** Whether it is done with. What waits under its key now may be newer, and stays. */
  async #recordOne([key, decide]: readonly [string, Decide<boolean>]): Promise<boolean> {
    try {
      await recordNews(this.#reporter, decide);
    } catch (error) {
      // A report that can never be recorded is a defect, and is not kept.
      if (!isStoreError(error, "internal")) return false;
    }
    if (this.#waiting.get(key) === decide) this.#waiting.delete(key);
    return true;
  }

  #later(): void {
    if (this.#closed) return;
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      this.#start();
    }, this.#delayMs);
    this.#retry.unref();
    this.#delayMs = Math.min(this.#delayMs * 2, longestDelayMs);
  }
}
