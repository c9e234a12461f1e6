import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { addressKey, FailureCounter } from "../src/lib/failures.ts";
import { codeOf, dialects, here, openTestAccess, password } from "./instance.ts";

const elsewhere = { address: "198.51.100.7" };
const wrong = "wrong kettle orbit";

describe.each(dialects)("limits on %s", (dialect) => {
  test("too many wrong passwords lock an account for a while, from everywhere", async () => {
    await using t = await openTestAccess(dialect, {
      limits: { loginByAccount: { failures: 3, withinMs: 600_000 } },
    });
    await t.user("ada");
    await t.user("bob");
    const login = (username: string, given: string, from = here) =>
      t.access.login({ username, password: given }, from);
    for (let attempt = 0; attempt < 3; attempt++) {
      expect(await codeOf(login("ada", wrong))).toBe("unauthenticated");
    }
    const refused: unknown = await login("ada", password, elsewhere).catch((e: unknown) => e);
    expect(refused).toMatchObject({ code: "rate_limited" });
    expect(refused).toHaveProperty("context.limit", expect.any(Number));
    expect(await codeOf(login("bob", password))).toBe("nothing thrown");
    expect(t.access.counts().rateLimited).toBe(1);
  });

  test("a right password forgets the wrong ones before it", async () => {
    await using t = await openTestAccess(dialect, {
      limits: { loginByAccount: { failures: 3, withinMs: 600_000 } },
    });
    await t.user("ada");
    for (let round = 0; round < 3; round++) {
      for (const given of [wrong, wrong, password]) {
        const code = await codeOf(t.access.login({ username: "ada", password: given }, here));
        expect(code).toBe(given === wrong ? "unauthenticated" : "nothing thrown");
      }
    }
  });

  test("many guesses at once are counted before they are tried", async () => {
    await using t = await openTestAccess(dialect, {
      limits: { loginByAccount: { failures: 3, withinMs: 600_000 } },
    });
    await t.user("ada");
    const guesses = Array.from({ length: 20 }, () =>
      codeOf(t.access.login({ username: "ada", password: wrong }, here)),
    );
    const codes = await Promise.all(guesses);
    expect(codes.filter((code) => code === "unauthenticated")).toHaveLength(3);
    expect(codes.filter((code) => code === "rate_limited")).toHaveLength(17);
  });

  test("nobody makes the log grow by logging in and making tokens, and operators do as they must", async () => {
    await using t = await openTestAccess(dialect, {
      limits: { changesByUser: { failures: 5, withinMs: 600_000 } },
    });
    const ada = await t.user("ada", "read:acme/*");
    const root = await t.user("root", "admin:*");
    const { size } = await t.log.head();
    await t.access.login({ username: "ada", password }, here);
    const passwords = { currentPassword: password, newPassword: "kettle orbit tulip" };
    const begun = await t.access.login({ username: "ada", password }, here);
    const session = await t.as(begun.accessToken);
    await t.access.changePassword(session, passwords, here);
    const { id } = await t.access.createToken(ada, { name: "ci" });
    await t.access.revokeToken(ada, id);
    const after = await t.log.head();
    const credentials = { username: "ada", password: "kettle orbit tulip" };
    const swap = { currentPassword: "kettle orbit tulip", newPassword: password };
    expect(await codeOf(t.access.login(credentials, elsewhere))).toBe("rate_limited");
    expect(await codeOf(t.access.createToken(ada, { name: "ci" }))).toBe("rate_limited");
    expect(await codeOf(t.access.changePassword(session, swap, here))).toBe("rate_limited");
    expect((await t.log.head()).size).toBe(after.size);
    expect(after.size).toBeGreaterThan(size);
    await t.access.createToken(root, { name: "ci", owner: "ada" });
    expect(await codeOf(t.access.login({ username: "root", password }, here))).toBe(
      "nothing thrown",
    );
  });

  test("too many wrong passwords lock an address, whatever the accounts", async () => {
    await using t = await openTestAccess(dialect, {
      limits: { loginByAddress: { failures: 4, withinMs: 600_000 } },
    });
    await t.user("ada");
    for (let attempt = 0; attempt < 4; attempt++) {
      const credentials = { username: `nobody-${attempt}`, password: wrong };
      expect(await codeOf(t.access.login(credentials, here))).toBe("unauthenticated");
    }
    const credentials = { username: "ada", password };
    expect(await codeOf(t.access.login(credentials, here))).toBe("rate_limited");
    expect(await codeOf(t.access.login(credentials, elsewhere))).toBe("nothing thrown");
  });

  test("a login that had to wait too long in line is no failure", async () => {
    await using t = await openTestAccess(dialect, {
      limits: { hashing: 1, waiting: 1, loginByAccount: { failures: 4, withinMs: 600_000 } },
    });
    await t.user("ada");
    for (let round = 0; round < 4; round++) {
      const logins = Array.from({ length: 4 }, () =>
        codeOf(t.access.login({ username: "ada", password }, here)),
      );
      const codes = new Set(await Promise.all(logins));
      expect(codes).toEqual(new Set(["nothing thrown", "rate_limited"]));
    }
    expect(await codeOf(t.access.login({ username: "ada", password }, here))).toBe(
      "nothing thrown",
    );
  });

  test("too many tokens that are not accepted lock an address, but not who is in", async () => {
    await using t = await openTestAccess(dialect, {
      limits: { tokenByAddress: { failures: 5, withinMs: 600_000 } },
    });
    const ada = await t.user("ada", "read:*");
    const { token } = await t.access.createToken(ada, { name: "ci" });
    await t.as(token);
    const { refreshToken } = await t.access.login({ username: "ada", password }, here);
    for (let attempt = 0; attempt < 5; attempt++) {
      expect(await codeOf(t.as(`nonsense${attempt}`))).toBe("unauthenticated");
    }
    expect(await codeOf(t.as("nonsense"))).toBe("rate_limited");
    expect(await codeOf(t.access.refresh(refreshToken, here))).toBe("rate_limited");
    expect(await codeOf(t.access.refresh(refreshToken, elsewhere))).toBe("nothing thrown");
    expect(await t.access.authenticate(`Bearer ${token}`, elsewhere)).toMatchObject({
      username: "ada",
    });
    expect(await t.as(token)).toMatchObject({ username: "ada" });
    t.advance(2_000);
    expect(await codeOf(t.as(token))).toBe("rate_limited");
  });
});

describe.each(dialects)("limits on %s", (dialect) => {
  test("what has ended is no failure: many requests at once may find out together", async () => {
    await using t = await openTestAccess(dialect, {
      limits: { tokenByAddress: { failures: 1, withinMs: 600_000 } },
    });
    const ada = await t.user("ada", "read:*");
    const first = await t.access.login({ username: "ada", password }, here);
    const { token, id } = await t.access.createToken(ada, { name: "ci" });
    await t.access.revokeToken(ada, id);
    t.advance(20 * 60_000);
    const codes = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        codeOf(t.as(index % 2 === 0 ? token : first.accessToken)),
      ),
    );
    expect(new Set(codes)).toEqual(new Set(["unauthenticated"]));
    const second = await t.access.refresh(first.refreshToken, here);
    await t.access.logout({ refreshToken: second.refreshToken });
    for (const used of [first.refreshToken, second.refreshToken]) {
      expect(await codeOf(t.access.refresh(used, here))).toBe("unauthenticated");
    }
    expect(await codeOf(t.as(second.accessToken))).toBe("unauthenticated");
  });
});

describe("a counter of failures", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test("lets again once its time is over", async () => {
    const counter = new FailureCounter({ failures: 2, withinMs: 60_000 }, 10, () => undefined);
    await counter.fail("a");
    vi.advanceTimersByTime(30_000);
    await counter.fail("a");
    await expect(counter.check("a")).rejects.toMatchObject({ context: { limit: 30 } });
    await counter.check("b");
    vi.advanceTimersByTime(30_001);
    await counter.check("a");
    expect(vi.getTimerCount()).toBe(0);
  });

  test("keeps so many keys and no more, the newest", async () => {
    const counter = new FailureCounter({ failures: 1, withinMs: 60_000 }, 100, () => undefined);
    for (let index = 0; index < 10_000; index++) await counter.fail(`key ${index}`);
    expect(vi.getTimerCount()).toBe(100);
    await counter.check("key 0");
    await expect(counter.check("key 9999")).rejects.toMatchObject({ code: "rate_limited" });
  });
});

test("addresses are counted by IPv4 address, or by the /64 of an IPv6 one", () => {
  expect(addressKey("192.0.2.1")).toBe("192.0.2.1");
  expect(addressKey("::ffff:192.0.2.1")).toBe("192.0.2.1");
  expect(addressKey("2001:db8:1:2:3:4:5:6")).toBe("2001:db8:1:2::/64");
  expect(addressKey("2001:0DB8:1:2::9")).toBe("2001:db8:1:2::/64");
  expect(addressKey("2001:db8::1")).toBe("2001:db8:0:0::/64");
  expect(addressKey("fe80::1%eth0")).toBe("fe80:0:0:0::/64");
  expect(addressKey("::1")).toBe("0:0:0:0::/64");
  expect(addressKey("unix socket")).toBe("unix socket");
});
