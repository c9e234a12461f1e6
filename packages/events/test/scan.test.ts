import { describe, expect, test } from "vitest";

import { appendAll, countTo, dialects, draft, openTestLog } from "./test-log.ts";

const types = ["v1.thing.done", "v1.thing.undone"];

describe.each(dialects)("scanning the log on %s", (dialect) => {
  test("says how far a page reaches, for an index and for what is accepted alike", async () => {
    await using place = await openTestLog(dialect);
    const { log } = place;
    expect(await log.scan({})).toEqual({ events: [], scannedTo: 0, head: 0 });
    expect(await log.scan({}, () => true)).toEqual({ events: [], scannedTo: 0, head: 0 });
    const drafts = countTo(20).map((n) => draft(`${n}`, { type: types[n % 2] ?? "" }));
    const events = await appendAll(log, drafts);
    const isEven = ({ seq }: { readonly seq: number }) => seq % 2 === 0;
    const isThird = ({ seq }: { readonly seq: number }) => seq % 3 === 0;
    for (const limit of [1, 4, 100]) {
      for (const [query, accepts, wanted] of [
        [{}, undefined, events],
        [{ types: [types[0] ?? ""] }, undefined, events.filter((event) => event.type === types[0])],
        [{}, isEven, events.filter(isEven)],
        [
          { types: [types[1] ?? ""] },
          isThird,
          events.filter((event) => event.type === types[1] && isThird(event)),
        ],
        [{}, () => false, []],
      ] as const) {
        const seen = [];
        let after = 0;
        for (let calls = 0; after < 20; calls += 1) {
          expect(calls).toBeLessThan(30);
          const page = await log.scan({ ...query, after, limit }, accepts);
          expect(page.events.length).toBeLessThanOrEqual(limit);
          expect(page.head).toBe(20);
          seen.push(...page.events);
          after = page.scannedTo;
        }
        expect(seen).toEqual(wanted);
      }
    }
    const bounded = await log.scan({ after: 3, before: 9 }, isThird);
    expect(bounded.events.map(({ seq }) => seq)).toEqual([6]);
    expect(bounded.scannedTo).toBe(8);
    expect(await log.scan({ after: 50 }, isThird)).toMatchObject({ scannedTo: 50, head: 20 });
    expect(await log.scan({ after: 50 })).toMatchObject({ scannedTo: 50, head: 20 });
  });

  test("stops where payloads would be too many, and goes on there", async () => {
    await using place = await openTestLog(dialect);
    const { log } = place;
    const large = new Uint8Array(3 * 1024 * 1024);
    await appendAll(
      log,
      countTo(5).map(() => draft("", { payload: large })),
    );
    for (const accepts of [undefined, () => true]) {
      const first = await log.scan({}, accepts);
      expect(first.events.map(({ seq }) => seq)).toEqual([1, 2]);
      expect(first.scannedTo).toBe(2);
      const second = await log.scan({ after: first.scannedTo }, accepts);
      expect(second.events.map(({ seq }) => seq)).toEqual([3, 4]);
    }
  });
});
