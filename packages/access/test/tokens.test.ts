import { parseScopes } from "@store/access";
import { describe, expect, test } from "vitest";

import { isApiToken } from "../src/lib/credentials/api-token.ts";
import { accountEvents, codeOf, dialects, here, openTestAccess, operator } from "./instance.ts";

const day = 24 * 60 * 60 * 1_000;

describe.each(dialects)("API tokens on %s", (dialect) => {
  test("stand for their user, within what they and the user may do", async () => {
    await using t = await openTestAccess(dialect);
    const ada = await t.user("ada", "write:acme/*", "read:other/*");
    const made = await t.access.createToken(ada, { name: "ci", scopes: ["write:acme/app"] });
    expect(made.token).toMatch(/^store_[0-9A-Za-z]{49}$/);
    const ci = await t.as(made.token);
    expect(ci).toMatchObject({ kind: "token", actor: `token:${made.id}`, username: "ada" });
    expect((await t.access.me(ci)).scopes).toEqual(["write:acme/app"]);
    await t.access.setScopes(operator, "ada", ["read:*"]);
    expect((await t.access.me(await t.as(made.token))).scopes).toEqual(["read:acme/app"]);
    await t.access.setScopes(operator, "ada", ["metrics"]);
    expect((await t.access.me(await t.as(made.token))).scopes).toEqual([]);
  });

  test("get no scope that their maker lacks, and all of them unless told", async () => {
    await using t = await openTestAccess(dialect);
    const ada = await t.user("ada", "write:acme/*");
    const root = await t.user("root", "admin:*");
    const make = (scopes: string[]) => t.access.createToken(ada, { name: "x", scopes });
    for (const scope of ["admin:acme/*", "write:*", "write:ac*/*", "read:other/app", "metrics"]) {
      expect(await codeOf(make([scope])), scope).toBe("permission_denied");
    }
    const narrower = { ...ada, scopes: parseScopes(["read:acme/app"]) };
    const wider = t.access.createToken(narrower, { name: "x", scopes: ["write:acme/app"] });
    expect(await codeOf(wider)).toBe("permission_denied");
    expect((await make(["read:acme/app-*", "write:acme/x"])).scopes).toHaveLength(2);
    expect((await t.access.createToken(ada, { name: "all" })).scopes).toEqual(["write:acme/*"]);
    const metrics = await t.access.createToken(root, { name: "m", scopes: ["metrics"] });
    expect((await t.access.me(await t.as(metrics.token))).scopes).toEqual(["metrics"]);
  });

  test("make no other tokens, unless they have admin:*", async () => {
    await using t = await openTestAccess(dialect);
    const ada = await t.user("ada", "write:acme/*");
    const root = await t.user("root", "admin:*");
    const ci = await t.as((await t.access.createToken(ada, { name: "ci" })).token);
    expect(await codeOf(t.access.createToken(ci, { name: "more" }))).toBe("permission_denied");
    const robot = await t.as((await t.access.createToken(root, { name: "robot" })).token);
    const forAda = await t.access.createToken(robot, { name: "for ada", owner: "ada" });
    expect(forAda).toMatchObject({ owner: "ada", scopes: ["write:acme/*"] });
    expect(await codeOf(t.access.createToken(ada, { name: "x", owner: "root" }))).toBe(
      "permission_denied",
    );
    expect(await codeOf(t.access.createToken(operator, { name: "x" }))).toBe("invalid_argument");
    const local = await t.access.createToken(operator, { name: "x", owner: "ada" });
    expect(await t.as(local.token)).toMatchObject({ username: "ada" });
  });

  test("end when they expire", async () => {
    await using t = await openTestAccess(dialect);
    const ada = await t.user("ada", "read:*");
    const { token } = await t.access.createToken(ada, { name: "ci", expiresInMs: 1_000 });
    await t.as(token);
    t.advance(999);
    await t.as(token);
    t.advance(1);
    expect(await codeOf(t.as(token))).toBe("unauthenticated");
    for (const expiresInMs of [0, -1, 1.5, Number.NaN, 1e15]) {
      expect(await codeOf(t.access.createToken(ada, { name: "x", expiresInMs }))).toBe(
        "invalid_argument",
      );
    }
  });

  test("end at once here when they are revoked, and within two seconds elsewhere", async () => {
    await using t = await openTestAccess(dialect);
    const other = await t.apart();
    const ada = await t.user("ada", "read:*");
    const { token, id } = await t.access.createToken(ada, { name: "ci" });
    await t.as(token);
    await t.as(token, other);
    await t.access.revokeToken(ada, id);
    await t.access.revokeToken(ada, id);
    expect(await codeOf(t.as(token))).toBe("unauthenticated");
    t.advance(2_000);
    expect(await codeOf(t.as(token, other))).toBe("unauthenticated");
    const { items } = await t.access.listTokens(ada);
    expect(items).toMatchObject([{ id, revokedAt: expect.any(String) as string }]);
    t.advance(31 * day);
    expect(await t.access.sweep()).toMatchObject({ tokensRemoved: 1 });
  });

  test("do not work while their user is disabled", async () => {
    await using t = await openTestAccess(dialect);
    const ada = await t.user("ada", "read:*");
    const { token } = await t.access.createToken(ada, { name: "ci" });
    await t.as(token);
    await t.access.disableUser(operator, "ada");
    expect(await codeOf(t.as(token))).toBe("unauthenticated");
    await t.access.enableUser(operator, "ada");
    await t.as(token);
  });

  test("are listed and revoked by their own user, and by admin:*", async () => {
    await using t = await openTestAccess(dialect);
    const ada = await t.user("ada", "read:*");
    const bob = await t.user("bob", "read:*");
    const tokens = [];
    for (const name of ["one", "two", "three"]) {
      tokens.push(await t.access.createToken(ada, { name }));
    }
    const his = await t.access.createToken(bob, { name: "his" });
    const first = await t.access.listTokens(ada, { limit: 2 });
    expect(first.items.map(({ name }) => name)).toEqual(["one", "two"]);
    const rest = await t.access.listTokens(ada, { limit: 2, cursor: first.cursor ?? "" });
    expect(rest.items.map(({ name }) => name)).toEqual(["three"]);
    expect(rest.cursor).toBeUndefined();
    expect(JSON.stringify([first, rest])).not.toContain(tokens[0]?.token);
    expect(await codeOf(t.access.listTokens(ada, { all: true }))).toBe("permission_denied");
    expect((await t.access.listTokens(operator, { all: true })).items).toHaveLength(4);
    for (const id of [his.id, "01900000-0000-7000-8000-000000000000", "x"]) {
      expect(await codeOf(t.access.revokeToken(ada, id)), id).toBe("token_not_found");
    }
    await t.access.revokeToken(operator, his.id);
    expect(await codeOf(t.as(his.token))).toBe("unauthenticated");
    expect(await codeOf(t.access.listTokens(ada, { cursor: "x" }))).toBe("invalid_cursor");
  });

  test("revoke themselves, and others only with admin:*", async () => {
    await using t = await openTestAccess(dialect);
    const ada = await t.user("ada", "write:*");
    const main = await t.access.createToken(ada, { name: "main" });
    const weak = await t.access.createToken(ada, { name: "weak", scopes: ["read:acme/app"] });
    const leaked = await t.as(weak.token);
    for (const id of [main.id, "01900000-0000-7000-8000-000000000000", "x"]) {
      expect(await codeOf(t.access.revokeToken(leaked, id)), id).toBe("permission_denied");
    }
    await t.as(main.token);
    await t.access.revokeToken(leaked, weak.id);
    expect(await codeOf(t.as(weak.token))).toBe("unauthenticated");
    const root = await t.user("root", "admin:*");
    const able = await t.access.createToken(root, { name: "able" });
    await t.access.revokeToken(await t.as(able.token), main.id);
    expect(await codeOf(t.as(main.token))).toBe("unauthenticated");
  });

  test("show to the minute when they were last used", async () => {
    await using t = await openTestAccess(dialect);
    const ada = await t.user("ada", "read:*");
    const { token } = await t.access.createToken(ada, { name: "ci" });
    const lastUse = async () => {
      const writer = await t.apart();
      await t.as(token, writer);
      await writer.close();
      return (await t.access.listTokens(ada)).items[0]?.lastUsedAt;
    };
    const first = await lastUse();
    expect(first).toBe(new Date(t.now()).toISOString());
    t.advance(59_000);
    expect(await lastUse()).toBe(first);
    t.advance(1_000);
    expect(await lastUse()).toBe(new Date(t.now()).toISOString());
  });

  test("stand in no event, and only as a hash in the database", async () => {
    await using t = await openTestAccess(dialect);
    const ada = await t.user("ada", "read:*");
    const { token } = await t.access.createToken(ada, { name: "ci" });
    const events = await t.log.read({ after: 0, limit: 1_000 });
    for (const { payload, header } of events) {
      expect(Buffer.from(payload).includes(token)).toBe(false);
      expect(Buffer.from(header).includes(token)).toBe(false);
    }
    const rows = await t.database.reader.select().from(t.database.tables.apiTokens);
    expect(JSON.stringify(rows)).not.toContain(token);
    expect((await accountEvents(t.log)).at(-1)).toMatchObject({
      type: "v1.token.created",
      actor: ada.actor,
      payload: { kind: "api", name: "ci", scopes: ["read:*"] },
    });
  });

  test("with one character changed fail before the database is asked", async () => {
    await using t = await openTestAccess(dialect);
    const ada = await t.user("ada", "read:*");
    const { token } = await t.access.createToken(ada, { name: "ci" });
    await t.database.close();
    for (let at = 6; at < token.length; at++) {
      const changed = `${token.slice(0, at)}${token[at] === "a" ? "b" : "a"}${token.slice(at + 1)}`;
      expect(isApiToken(changed)).toBe(false);
    }
    const typo = `${token.slice(0, -1)}${token.endsWith("a") ? "b" : "a"}`;
    expect(await codeOf(t.access.authenticate(`Bearer ${typo}`, here))).toBe("unauthenticated");
    expect(await codeOf(t.access.authenticate(`Bearer ${token}`, here))).toBe("closed");
  });
});
