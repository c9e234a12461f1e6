import type { Refusal } from "@store/access";
import { describe, expect, test } from "vitest";

import { codeOf, dialects, openTestAccess, operator } from "./instance.ts";

function refusal(index: number): Refusal {
  return {
    code: "permission_denied",
    address: "192.0.2.1",
    actor: "anonymous",
    method: "GET",
    path: `/api/v1/packages/${index}`,
    requestId: `request-${index}`,
  };
}

describe.each(dialects)("refusals on %s", (dialect) => {
  test("a hundred thousand of them fill the ring, and the newest are shown first", async () => {
    await using t = await openTestAccess(dialect, { refusalLimit: 300 });
    const { accessRefusals } = t.database.tables;
    const before = await t.log.head();
    for (let index = 0; index < 100_000; index++) {
      t.access.recordRefusal(refusal(index));
      // As if the time to write had come now and then.
      if (index % 5_000 === 4_999) await t.access.listRefusals(operator, { limit: 1 });
    }
    const rows = await t.database.reader.select().from(accessRefusals);
    expect(rows).toHaveLength(300);
    expect(t.access.counts().refusalsDropped).toBe(100_000 - 20 * 300);
    const first = await t.access.listRefusals(operator, { limit: 200 });
    const rest = await t.access.listRefusals(operator, { limit: 200, cursor: first.cursor ?? "" });
    const shown = [...first.items, ...rest.items].map(({ requestId }) => requestId);
    // The first 300 since the last time to write, from the last to the first.
    expect(shown).toEqual(Array.from({ length: 300 }, (_, at) => `request-${95_299 - at}`));
    expect(rest.cursor).toBeUndefined();
    expect(await t.log.head()).toEqual(before);
  });

  test("of several processes go into one ring, and a smaller one forgets the rest", async () => {
    await using t = await openTestAccess(dialect, { refusalLimit: 10 });
    const other = await t.apart();
    for (let index = 0; index < 24; index++) {
      const access = index % 2 === 0 ? t.access : other;
      access.recordRefusal(refusal(index));
      await access.listRefusals(operator);
    }
    const ids = async (access = t.access) =>
      (await access.listRefusals(operator)).items.map(({ requestId }) => requestId);
    expect(await ids()).toEqual(Array.from({ length: 10 }, (_, at) => `request-${23 - at}`));
    const smaller = await t.apart({ refusalLimit: 4 });
    for (let index = 24; index < 30; index++) {
      smaller.recordRefusal(refusal(index));
      await smaller.listRefusals(operator);
    }
    expect(await ids(smaller)).toEqual([29, 28, 27, 26].map((at) => `request-${at}`));
  });

  test("are written when the accounts are closed, cut to size and without a query", async () => {
    await using t = await openTestAccess(dialect);
    const other = await t.apart();
    other.recordRefusal({
      ...refusal(1),
      address: "x".repeat(500),
      path: `/a\u0000b\ud800/${"p".repeat(5_000)}?token=secret#part`,
      method: "PROPFIND\r\n".repeat(9),
    });
    other.recordRefusal({ ...refusal(2), path: "/auth/login?password=secret" });
    await other.close();
    const { items } = await t.access.listRefusals(operator);
    expect(items).toHaveLength(2);
    expect(items[0]).toMatchObject({ path: "/auth/login", code: "permission_denied" });
    expect(items[1]?.path).toHaveLength(512);
    expect(items[1]?.address).toHaveLength(64);
    expect(items[1]?.method).toMatch(/^[^\p{Cc}]{16}$/u);
    expect(JSON.stringify(items)).not.toContain("secret");
  });

  test("a cursor of another list is refused", async () => {
    await using t = await openTestAccess(dialect);
    const cursor = Buffer.from('["users",["ada"]]').toString("base64url");
    expect(await codeOf(t.access.listRefusals(operator, { cursor }))).toBe("invalid_cursor");
    expect(await codeOf(t.access.listRefusals(operator, { limit: 0 }))).toBe("invalid_argument");
  });
});
