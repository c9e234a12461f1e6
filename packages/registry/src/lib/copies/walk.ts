import { setTimeout as sleep } from "node:timers/promises";

import { parseContentAddress, StoreError, type ContentAddress } from "@store/identity";

import type { Instance } from "../instance.ts";
import { Pace } from "../pace.ts";
import { copyContext, type CopyContext } from "./context.ts";
import { Endurance } from "./endurance.ts";
import { InOrder } from "./in-order.ts";
import { beginWork, endWork, saveWork, type WorkRow } from "./positions.ts";
import type { WalkPage } from "./rows.ts";
import { countsOf, Tally } from "./tally.ts";
import type { ObjectWorkOptions, ObjectWorkProgress } from "./types.ts";

/** Rows of a page: one statement keeps the event loop of an embedded instance. */
const pageRows = 256;
/** Objects that may be done behind one that takes long. */
const mostWaiting = 16_384;
const defaultConcurrency = 8;
const progressMs = 1_000;

/** One copy that a walk comes to. */
export interface Stop {
  readonly address: ContentAddress;
  /** Whether no other stop at this address follows. */
  readonly isLast: boolean;
}

/** What a walk does, and where. */
export interface Walk<At extends Stop> {
  /** Tells it from every other: the same name goes on where it was left. */
  readonly name: string;
  /** How many stops there are, about. */
  count(): Promise<number>;
  /** The stops of a page, in order, and the address that the next page comes after, if any does. */
  page(page: WalkPage): Promise<{ readonly stops: readonly At[]; readonly next?: string }>;
  /**
   * Whether there is nothing to do at a stop. Where that can be told, a walk that goes on from where
   * it was left looks at the end for what there is to do again before that place, since it may have
   * been left long ago.
   */
  isDone?(stop: At): boolean;
  /**
   * The backend that a stop is of. Where that can be told, the stops of one that fails as a whole are
   * passed over, as one problem, while there is another.
   */
  backendOf?(stop: At): string;
  /** Deals with a stop; what it throws of a backend is a problem of this stop's, at most. */
  visit(context: CopyContext, stop: At, tools: VisitTools): Promise<void>;
}

/** What a visit says of itself. */
export interface VisitTools {
  readonly tally: Tally;
  readonly endurance: Endurance;
}

/** Begins or goes on with a walk, when its first progress is asked for. */
export async function* walkObjects<At extends Stop>(
  instance: Instance,
  actor: string,
  walk: Walk<At>,
  options: ObjectWorkOptions,
): AsyncGenerator<ObjectWorkProgress, void, undefined> {
  const stopped = new AbortController();
  const signals = [stopped.signal, ...(options.signal === undefined ? [] : [options.signal])];
  const signal = instance.lifetime.signalWith(AbortSignal.any(signals));
  const context = copyContext(instance, actor, signal);
  // Closing the instance waits for both.
  const { begin, run } = instance.lifetime.guard({
    begin: () => WalkRun.begin(context, walk, options.restart ?? false),
    run: (begun: WalkRun<At>) => begun.run(options.concurrency ?? defaultConcurrency),
  });
  const begun = await begin();
  const running = run(begun);
  running.catch(() => undefined);
  try {
    yield begun.progress(false);
    while (await isUnderWay(running)) yield begun.progress(false);
    const hasEnded = await running.then(
      () => true,
      () => false,
    );
    // Where it failed too, what was found on the way is told before its error.
    if (hasEnded || !signal.aborted) yield begun.progress(hasEnded);
    await running;
  } finally {
    stopped.abort();
    await running.catch(() => undefined);
  }
}

/** Waits for the next progress, or for the end. */
async function isUnderWay(running: Promise<void>): Promise<boolean> {
  const ended = new AbortController();
  const tick = sleep(progressMs, true, { signal: ended.signal }).catch(() => true);
  try {
    return await Promise.race([
      running.then(
        () => false,
        () => false,
      ),
      tick,
    ]);
  } finally {
    ended.abort();
  }
}

class WalkRun<At extends Stop> {
  readonly #context: CopyContext;
  readonly #walk: Walk<At>;
  readonly #row: WorkRow;
  readonly #resumed: boolean;
  readonly #tally: Tally;
  readonly #total: number;
  #position: string;
  #saved: string;

  private constructor(
    context: CopyContext,
    walk: Walk<At>,
    row: WorkRow,
    resumed: boolean,
    total: number,
  ) {
    this.#context = context;
    this.#walk = walk;
    this.#row = row;
    this.#resumed = resumed;
    this.#position = row.position;
    this.#saved = row.position;
    const counts = countsOf(row.state);
    // What was a problem before the place from which it goes on is met again at the end.
    this.#tally = new Tally(walk.isDone === undefined ? counts : { ...counts, problemCount: 0 });
    this.#total = total;
  }

  static async begin<At extends Stop>(
    context: CopyContext,
    walk: Walk<At>,
    restart: boolean,
  ): Promise<WalkRun<At>> {
    const { instance, signal } = context;
    if (signal.aborted) throw givenUp(context);
    const total = await walk.count();
    const fresh = { name: walk.name, position: "", state: { total } };
    const { row, resumed } = await beginWork(instance, fresh, restart);
    return new WalkRun(context, walk, row, resumed, totalOf(row.state) ?? total);
  }

  progress(done: boolean): ObjectWorkProgress {
    const { counts } = this.#tally;
    const total = done ? counts.objects : Math.max(this.#total, counts.objects);
    return {
      ...(this.#position === "" ? {} : { position: parseContentAddress(this.#position) }),
      ...counts,
      problems: this.#tally.takeProblems(),
      total,
      done,
      resumed: this.#resumed,
      startedAt: this.#row.startedAt,
    };
  }

  async run(concurrency: number): Promise<void> {
    const { instance, signal } = this.#context;
    const failed = new AbortController();
    const context = { ...this.#context, signal: AbortSignal.any([signal, failed.signal]) };
    const tools = {
      tally: this.#tally,
      endurance: new Endurance(context, this.#walk.backendOf !== undefined),
    };
    const pace = new Pace();
    const inOrder = new InOrder(this.#stops(), mostWaiting, (stop) => this.#pass(stop));
    const saving = setInterval(() => void this.#save().catch(() => undefined), progressMs);
    try {
      await inOrder.run(concurrency, context.signal, async (stop) => {
        await pace.keep();
        try {
          await this.#visit(context, stop, tools);
        } catch (error) {
          // The others' reading and writing ends too.
          failed.abort(error);
          throw error;
        }
      });
    } catch (error) {
      throw this.#context.signal.aborted ? givenUp(this.#context) : error;
    } finally {
      clearInterval(saving);
      // What cannot be recorded is done again by the next.
      await this.#save().catch(() => undefined);
    }
    if (signal.aborted) throw givenUp(this.#context);
    await endWork(instance, this.#row);
  }

  async #visit(context: CopyContext, stop: At, tools: VisitTools): Promise<void> {
    const { tally, endurance } = tools;
    const backend = this.#walk.backendOf?.(stop);
    if (backend !== undefined && endurance.isAway(backend)) return;
    try {
      await this.#walk.visit(context, stop, tools);
    } catch (error) {
      const failure = await endurance.bear(error);
      if (failure !== undefined) tally.failed(stop, failure);
      if (backend !== undefined && endurance.isAway(backend)) return;
    }
    tools.tally.add({ objects: 1 });
  }

  async *#stops(): AsyncGenerator<At> {
    const left = this.#row.position;
    yield* this.#stopsAfter(left);
    if (left === "" || this.#walk.isDone === undefined) return;
    for await (const stop of this.#stopsAfter("")) {
      if (stop.address > left) return;
      if (!this.#walk.isDone(stop)) yield stop;
    }
  }

  async *#stopsAfter(position: string): AsyncGenerator<At> {
    let after = position === "" ? undefined : position;
    for (;;) {
      const { stops, next } = await this.#walk.page({ after, limit: pageRows });
      yield* stops;
      if (next === undefined) return;
      after = next;
    }
  }

  #pass({ address, isLast }: Stop): void {
    if (isLast && address > this.#position) this.#position = address;
  }

  async #save(): Promise<void> {
    const position = this.#position;
    if (position === this.#saved) return;
    const state = { ...this.#tally.counts, total: this.#total };
    await saveWork(this.#context.instance, this.#row, { position, state });
    this.#saved = position;
  }
}

function totalOf(state: unknown): number | undefined {
  if (typeof state !== "object" || state === null || !("total" in state)) return undefined;
  return Number.isSafeInteger(state.total) ? Number(state.total) : undefined;
}

/** Why work ended that was told to: `closed` where the instance is being closed. */
function givenUp({ instance, signal }: CopyContext): unknown {
  const error = new StoreError(
    "aborted",
    "The work was given up: its signal was aborted. Ask for the same again to go on with it.",
    { cause: signal.reason },
  );
  return instance.lifetime.reasonOf(error);
}
