import type { EventLog, LogHead, StoredEvent } from "@store/events";
import { StoreError } from "@store/identity";

import { recordedEvent, type ManifestDigest } from "../events/codec.ts";
import type { RecordedEvent } from "../events/types.ts";
import { assertReaches } from "./checks.ts";
import type { MissingCopies } from "./missing-copies.ts";
import type { ObjectCopier } from "./object-copier.ts";
import { copyOperationalRows } from "./operational-rows.ts";
import { projectEvents } from "./project-events.ts";
import type { CopyInstanceOptions, CopyProblem, CopyReport } from "./types.ts";
import { wantedCopies } from "./wanted-copies.ts";

/** Events taken over by one transaction. */
const eventsAtOnce = 512;
/** A source that is written to is never reached; whoever is this near has caught up. */
const nearEvents = 1_000;
const reportedProblems = 1_000;

/** What a copy works with, once both sides were compared. */
export interface CopyParts {
  readonly source: EventLog;
  readonly target: EventLog;
  /** Of the target; undefined where it is empty. */
  readonly head: LogHead | undefined;
  readonly copier: ObjectCopier;
  readonly missing: MissingCopies;
  readonly manifestDigest: ManifestDigest;
}

/** Events that are read, with what they mean to the views. */
interface Page {
  readonly stored: readonly StoredEvent[];
  readonly recorded: readonly RecordedEvent[];
}

/** The work of copying an instance: events with their objects, then accounts, until nothing is new. */
export class CopyRun {
  readonly #options: CopyInstanceOptions;
  readonly #parts: CopyParts;
  #head: LogHead | undefined;
  #sourceSize = 0;
  #events = 0;
  #objects = 0;
  #sizeBytes = 0;
  #operationalRows = 0;

  constructor(options: CopyInstanceOptions, parts: CopyParts) {
    this.#options = options;
    this.#parts = parts;
    this.#head = parts.head;
  }

  /** Counts an object that was copied. */
  addObject(sizeBytes: number): void {
    this.#objects += 1;
    this.#sizeBytes += sizeBytes;
    this.#progress();
  }

  /** Copies until there is nothing new, or little enough to say so. */
  async toEnd(): Promise<void> {
    await this.#retryMissing();
    for (;;) {
      const head = await this.#parts.source.head();
      const behind = head.size - this.#size;
      this.#sourceSize = head.size;
      await this.#catchUp(head);
      this.#operationalRows += await copyOperationalRows(
        this.#options.from.database,
        this.#options.to.database,
      );
      this.#sourceSize = (await this.#parts.source.head()).size;
      if (this.#sourceSize === this.#size || behind <= nearEvents) return;
    }
  }

  async report(): Promise<CopyReport> {
    const { logId, size, root } = await this.#parts.target.head();
    const { missing } = this.#parts;
    return {
      logId,
      size,
      root,
      sourceSize: this.#sourceSize,
      events: this.#events,
      objects: this.#objects,
      sizeBytes: this.#sizeBytes,
      operationalRows: this.#operationalRows,
      problemCount: missing.count,
      problems: missing.all.slice(0, reportedProblems),
    };
  }

  get #size(): number {
    return this.#head?.size ?? 0;
  }

  /** What an earlier copy could not read may have been mended since. */
  async #retryMissing(): Promise<void> {
    const { missing } = this.#parts;
    if (missing.count === 0) return;
    missing.replaceBy(await this.#parts.copier.copy(missing.all), { whole: false });
    await missing.keep(this.#options.to.database);
  }

  /** Takes over everything up to `until`; the next page's objects are copied meanwhile. */
  async #catchUp(until: LogHead): Promise<void> {
    let taking: Promise<void> = Promise.resolve();
    try {
      for await (const page of this.#pages(this.#size, until.size)) {
        const problems = await this.#parts.copier.copy(wantedCopies(page.recorded));
        await taking;
        this.#assertGoesOn();
        taking = this.#takeOver(page, problems, until.logId);
        // Met when it is waited for, after the objects of the next page.
        taking.catch(() => undefined);
      }
    } finally {
      await taking;
    }
    assertReaches(this.#head, until);
  }

  async *#pages(after: number, upTo: number): AsyncGenerator<Page> {
    const { source, manifestDigest } = this.#parts;
    for (let last = after; last < upTo;) {
      const stored = await source.read({ after: last, before: upTo + 1, limit: eventsAtOnce });
      const recorded = stored.flatMap((event) => recordedEvent(event, manifestDigest) ?? []);
      const end = stored.at(-1)?.seq;
      if (end === undefined) throw eventMissing(last + 1);
      last = end;
      yield { stored, recorded };
    }
  }

  async #takeOver(
    { stored, recorded }: Page,
    problems: readonly CopyProblem[],
    logId: string,
  ): Promise<void> {
    const { target, missing } = this.#parts;
    missing.add(problems);
    this.#head = await target.takeOver({ logId, events: stored }, async (tx) => {
      await projectEvents(tx, recorded);
      await missing.write(tx, Date.now());
    });
    missing.written();
    this.#events += stored.length;
    this.#progress();
  }

  #progress(): void {
    this.#options.onProgress?.({
      step: "copying",
      done: this.#size,
      total: this.#sourceSize,
      objects: this.#objects,
      sizeBytes: this.#sizeBytes,
    });
  }

  #assertGoesOn(): void {
    if (this.#options.signal?.aborted !== true) return;
    throw new StoreError("aborted", "The copy was given up: its signal was aborted.", {
      cause: this.#options.signal.reason,
    });
  }
}

function eventMissing(seq: number): StoreError {
  return new StoreError(
    "log_corrupt",
    `Event ${seq} of the source's log is missing. Restore its database from a backup.`,
    { context: { reference: String(seq) } },
  );
}
