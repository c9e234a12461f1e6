import { StoreError } from "@store/identity";
import { describe, expect, test } from "vitest";

import { HeadWatch, type HeadSource } from "../src/lib/head-watch.ts";
import { tailLog } from "../src/lib/tail.ts";
import type { EventPage } from "../src/lib/stored-event.ts";
import { countTo, seqsOf, take } from "./test-log.ts";

const never = new AbortController().signal;
const quick = { first: 1, longest: 2 };
const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 15));

/** A head that a test moves, counting how often it is read. */
function fakeHead(pollMs: HeadSource["pollMs"] = quick) {
  const state = { size: 0, reads: 0, failures: [] as Error[] };
  const readSize = async () => {
    state.reads += 1;
    const failure = state.failures.shift();
    if (failure !== undefined) throw failure;
    return state.size;
  };
  return { state, source: { readSize, pollMs } };
}

describe("waiting for the head", () => {
  test("ends when a poll finds it moved", async () => {
    const { state, source } = fakeHead();
    const watch = new HeadWatch(source);
    const release = watch.use();
    const waiting = watch.waitBeyond(0, never);
    await turn();
    state.size = 3;
    expect(await waiting).toBe(3);
    release();
  });

  test("ends at once where this process moved it, without reading", async () => {
    const { state, source } = fakeHead();
    const watch = new HeadWatch(source);
    watch.grew(5);
    expect(await watch.waitBeyond(4, never)).toBe(5);
    expect(state.reads).toBe(0);
  });

  test("reads nothing while nobody waits", async () => {
    const { state, source } = fakeHead();
    const watch = new HeadWatch(source);
    const release = watch.use();
    state.size = 1;
    expect(await watch.waitBeyond(0, never)).toBe(1);
    const { reads } = state;
    await turn();
    expect(state.reads).toBe(reads);
    release();
  });

  test("reads once for any number that wait", async () => {
    const { state, source } = fakeHead({ first: 5, longest: 5 });
    const watch = new HeadWatch(source);
    const release = watch.use();
    const waiting = countTo(50).map(() => watch.waitBeyond(0, never));
    await turn();
    state.size = 1;
    expect(new Set(await Promise.all(waiting))).toEqual(new Set([1]));
    expect(state.reads).toBeLessThan(25);
    release();
  });

  test("goes on while the database is unavailable, and fails with any other error", async () => {
    const { state, source } = fakeHead();
    const watch = new HeadWatch(source);
    const release = watch.use();
    state.size = 1;
    state.failures.push(new StoreError("database_unavailable", "gone"));
    expect(await watch.waitBeyond(0, never)).toBe(1);
    state.failures.push(new StoreError("closed", "closed"));
    await expect(watch.waitBeyond(1, never)).rejects.toMatchObject({ code: "closed" });
    // The next wait tries anew.
    state.size = 2;
    expect(await watch.waitBeyond(1, never)).toBe(2);
    release();
  });

  test("gives up when its signal is aborted", async () => {
    const { source } = fakeHead();
    const watch = new HeadWatch(source);
    const release = watch.use();
    const stop = new AbortController();
    const waiting = watch.waitBeyond(0, stop.signal);
    stop.abort();
    expect(await waiting).toBeUndefined();
    expect(await watch.waitBeyond(0, stop.signal)).toBeUndefined();
    release();
  });

  test("listens while it is used, is woken rather than polling, and stops listening", async () => {
    const { state, source } = fakeHead({ first: 60_000, longest: 60_000 });
    const listeners = new Set<() => void>();
    const listen = async (wake: () => void) => {
      listeners.add(wake);
      return {
        close: async () => {
          listeners.delete(wake);
        },
      };
    };
    const watch = new HeadWatch({ ...source, listen });
    const release = watch.use();
    const waiting = watch.waitBeyond(0, never);
    await turn();
    expect(listeners.size).toBe(1);
    state.size = 2;
    for (const wake of listeners) wake();
    expect(await waiting).toBe(2);
    release();
    await turn();
    expect(listeners.size).toBe(0);
  });

  test("does not miss a notification that comes while the head is read", async () => {
    const wakes: (() => void)[] = [];
    let reads = 0;
    const readSize = async () => {
      reads += 1;
      // The first reading is from before the event; its notification comes meanwhile.
      if (reads === 1) for (const wake of wakes) wake();
      return reads === 1 ? 0 : 1;
    };
    const listen = async (wake: () => void) => {
      wakes.push(wake);
      return { close: async () => undefined };
    };
    const watch = new HeadWatch({ readSize, listen, pollMs: { first: 60_000, longest: 60_000 } });
    const release = watch.use();
    expect(await watch.waitBeyond(0, never)).toBe(1);
    release();
  });
});

const nothing = new Uint8Array(0);
const texts = { id: "", type: "", occurredAt: "", actor: "", subject: "" };
const anyEvent = { ...texts, header: nothing, payload: nothing, payloadSha256: nothing };

describe("tailing", () => {
  /** A log of `size` events of which each page holds two. */
  function fakeLog(size: number) {
    const pages: [after: number, upTo: number][] = [];
    const watch = new HeadWatch({ readSize: async () => size, pollMs: quick });
    const readPage = async (after: number, upTo: number): Promise<EventPage> => {
      pages.push([after, upTo]);
      const seqs = [after + 1, after + 2].filter((seq) => seq <= upTo);
      const events = seqs.map((seq) => ({ ...anyEvent, seq }));
      return { events, complete: after + seqs.length >= upTo };
    };
    return { pages, source: { watch, whole: true, readSize: async () => size, readPage } };
  }

  test("reads a page only when the one before is used up", async () => {
    const { pages, source } = fakeLog(7);
    const tail = tailLog(source, 0, undefined)[Symbol.asyncIterator]();
    await turn();
    expect(pages).toEqual([]);
    await tail.next();
    await tail.next();
    await turn();
    expect(pages).toEqual([[0, 7]]);
    await tail.next();
    expect(pages).toEqual([
      [0, 7],
      [2, 7],
    ]);
    await tail.return?.();
  });

  test("tries again while pages cannot be read, and goes on where it was", async () => {
    const { source } = fakeLog(5);
    let failures = 2;
    const readPage: typeof source.readPage = async (after, upTo) => {
      if (after === 2 && failures > 0) {
        failures -= 1;
        throw new StoreError("database_unavailable", "gone");
      }
      return source.readPage(after, upTo);
    };
    const events = await take(tailLog({ ...source, readPage }, 0, undefined), 5);
    expect(seqsOf(events)).toEqual([1, 2, 3, 4, 5]);
    expect(failures).toBe(0);
  });

  test("reads once what a filter leaves empty, and then waits for more", async () => {
    const { pages, source } = fakeLog(5);
    const readPage: typeof source.readPage = async (after, upTo) => {
      pages.push([after, upTo]);
      return { events: [], complete: true };
    };
    const tail = tailLog({ ...source, whole: false, readPage }, 0, undefined);
    const iterator = tail[Symbol.asyncIterator]();
    const next = iterator.next();
    await turn();
    expect(pages).toEqual([[0, 5]]);
    await iterator.return?.();
    expect(await next).toMatchObject({ done: true });
  });

  test("stops at an event that is missing rather than leaving it out", async () => {
    const { source } = fakeLog(5);
    const without =
      (gone: number): typeof source.readPage =>
      async (after, upTo) => {
        const page = await source.readPage(after, upTo);
        return { ...page, events: page.events.filter(({ seq }) => seq !== gone) };
      };
    for (const gone of countTo(5)) {
      const tailing = take(tailLog({ ...source, readPage: without(gone) }, 0, undefined), 5);
      const failure = { code: "log_corrupt", context: { reference: String(gone) } };
      await expect(tailing).rejects.toMatchObject(failure);
    }
  });

  test("ends with an error that waiting cannot mend", async () => {
    const { source } = fakeLog(5);
    const readPage = () => Promise.reject(new StoreError("internal", "broken"));
    const events = take(tailLog({ ...source, readPage }, 0, undefined), 5);
    await expect(events).rejects.toMatchObject({ code: "internal" });
  });
});
