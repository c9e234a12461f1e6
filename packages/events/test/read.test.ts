import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { pageLimits, type EventQuery, type StoredEvent } from "../src/index.ts";
import { checkQuery } from "../src/lib/query.ts";
import { scansOf } from "../src/lib/read.ts";
import {
  appendAll,
  countTo,
  dialects,
  draft,
  openTestLog,
  seqsOf,
  type TestLog,
} from "./test-log.ts";

const types = ["v1.package.created", "v1.package.finalized", "v1.tag.set"];
const actors = ["ada", "bob"];
const subjects = [
  "acme",
  "acme/app",
  "acme/app2",
  "acme/app-x@1.0.0",
  "acme/app.x:stable",
  "acme/app@1.0.0#1",
  "acme/app@1.0.0/linux#2",
  "acme/app@1.0.0-rc#3",
  "acme/app:stable",
  "other/app",
  "schema:acme",
];

/** A few hundred events of every kind, in no regular order. */
async function fillLog({ log }: TestLog): Promise<StoredEvent[]> {
  const all: StoredEvent[] = [];
  for (const round of countTo(8)) {
    const drafts = countTo(40).map((n) => {
      const pick = (n * 7 + round * 13) % 101;
      const type = types[pick % types.length] ?? "";
      return draft(`${round}/${n}`, { type, subject: subjects[pick % subjects.length] ?? "" });
    });
    all.push(...(await appendAll(log, drafts, actors[round % 2])));
  }
  return all;
}

/** What a query means, said plainly. */
function select(events: readonly StoredEvent[], query: EventQuery): StoredEvent[] {
  const { after = 0, before = Infinity, limit = 100, subject, actor } = query;
  return events
    .filter(({ seq }) => seq > after && seq < before)
    .filter((event) => query.types === undefined || query.types.includes(event.type))
    .filter((event) => actor === undefined || event.actor === actor)
    .filter(
      (event) =>
        subject === undefined ||
        event.subject === subject ||
        (event.subject.startsWith(subject) &&
          "#/:@".includes(event.subject[subject.length] ?? "?")),
    )
    .slice(0, limit);
}

describe.each(dialects)("reading on %s", (dialect) => {
  test("gives what the query selects, in order, and nothing else", async () => {
    await using place = await openTestLog(dialect);
    const all = await fillLog(place);
    const query = fc.record(
      {
        after: fc.integer({ min: 0, max: all.length + 2 }),
        before: fc.integer({ min: 0, max: all.length + 2 }),
        limit: fc.integer({ min: 1, max: 120 }),
        types: fc.uniqueArray(fc.constantFrom(...types, "v1.never.seen"), { minLength: 1 }),
        subject: fc.constantFrom(...subjects, "acme/ap", "nobody"),
        actor: fc.constantFrom(...actors, "nobody"),
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(query, async (asked) => {
        expect(await place.log.read(asked)).toEqual(select(all, asked));
      }),
      { numRuns: 150 },
    );
  });

  test("takes what lies below a subject, and not what merely begins like it", async () => {
    await using place = await openTestLog(dialect);
    await appendAll(
      place.log,
      subjects.map((subject) => draft("", { subject })),
    );
    const found = async (subject: string) =>
      (await place.log.read({ subject })).map((event) => event.subject);
    expect(await found("acme/app")).toEqual([
      "acme/app",
      "acme/app@1.0.0#1",
      "acme/app@1.0.0/linux#2",
      "acme/app@1.0.0-rc#3",
      "acme/app:stable",
    ]);
    expect(await found("acme/app@1.0.0")).toEqual(["acme/app@1.0.0#1", "acme/app@1.0.0/linux#2"]);
    expect(await found("acme")).toEqual(subjects.slice(0, 9));
    expect(await found("schema:acme")).toEqual(["schema:acme"]);
  });

  test("ends a page before its payloads are too many bytes, but never empty", async () => {
    await using place = await openTestLog(dialect);
    const third = Math.floor(pageLimits.payloadBytes / 3);
    const sizes = [third, third, third, third, pageLimits.payloadBytes + 1, 1, 1];
    const drafts = sizes.map((size) => draft("", { payload: new Uint8Array(size) }));
    await appendAll(place.log, drafts);
    const pages: number[][] = [];
    let after = 0;
    for (;;) {
      const page = seqsOf(await place.log.read({ after, subject: "acme" }));
      if (page.length === 0) break;
      pages.push(page);
      after = page.at(-1) ?? 0;
    }
    expect(pages).toEqual([[1, 2, 3], [4], [5], [6, 7]]);
  });

  test("follows an index whatever is asked", async () => {
    await using place = await openTestLog(dialect);
    const { log, database } = place;
    for (const round of countTo(20)) {
      const drafts = countTo(250).map((n) => {
        const type = types[n % types.length] ?? "";
        return draft("", { type, subject: `acme/app${n % 50}@1.0.${round}#${n}` });
      });
      await appendAll(log, drafts, `actor ${round}`);
    }
    const queries: EventQuery[] = [
      { types: ["v1.tag.set"] },
      { types },
      { subject: "acme/app7", after: 2_000 },
      { subject: "acme/app7@1.0.3#7" },
      { subject: "acme/app7", types, actor: "actor 3" },
      { actor: "actor 3", after: 100 },
      { actor: "actor 3", types: ["v1.tag.set"] },
    ];
    for (const query of queries) {
      for (const scan of scansOf(database, query, checkQuery(query))) {
        const plan = await database.explain(scan);
        expect(plan).toMatch(/index/i);
        expect(plan).not.toMatch(/seq scan|^scan events$/im);
      }
    }
  });

  test.each<[string, EventQuery]>([
    ["a negative place", { after: -1 }],
    ["a place that is no integer", { before: 1.5 }],
    ["a limit of 0", { limit: 0 }],
    ["a limit above that of a page", { limit: pageLimits.events + 1 }],
    ["no types", { types: [] }],
    ["a word that is no type", { types: ["package.finalized"] }],
    ["33 types", { types: countTo(33).map((n) => `v${n}.tag.set`) }],
    ["an empty subject", { subject: "" }],
    ["a subject with U+0000", { subject: "acme\0" }],
    ["an actor of 257 bytes", { actor: "a".repeat(257) }],
  ])("refuses %s", async (_, query) => {
    await using place = await openTestLog(dialect);
    await expect(place.log.read(query)).rejects.toMatchObject({ code: "invalid_argument" });
  });
});
