import type { Access, Principal } from "@store/access";
import { describe, expect, test } from "vitest";

import {
  accountEvents,
  codeOf,
  dialects,
  here,
  openTestAccess,
  operator,
  password,
} from "./instance.ts";

async function setup(t: { readonly access: Access; as(token: string): Promise<Principal> }) {
  const token = await t.access.setupToken();
  if (token === undefined) throw new Error("There is no user yet.");
  return { token, principal: await t.as(token) };
}

describe.each(dialects)("users on %s", (dialect) => {
  test("the setup token makes the first user, who may do everything, and is dead then", async () => {
    await using t = await openTestAccess(dialect);
    const { token, principal } = await setup(t);
    expect(principal).toMatchObject({ kind: "setup", scopes: [] });
    const root = await t.access.createUser(principal, { username: "root", password });
    expect(root.scopes).toEqual(["admin:*", "metrics"]);
    expect(await codeOf(t.as(token))).toBe("unauthenticated");
    const again = t.access.createUser(principal, { username: "other", password });
    expect(await codeOf(again)).toBe("unauthenticated");
    expect(await t.access.setupToken()).toBeUndefined();
    expect(await t.access.setupToken({ renew: true })).toBeUndefined();
  });

  test("the setup token is dead as soon as there is a user, whoever made it", async () => {
    await using t = await openTestAccess(dialect);
    const { token, principal } = await setup(t);
    await t.access.createUser(operator, { username: "root", password });
    expect(await codeOf(t.as(token))).toBe("unauthenticated");
    const again = t.access.createUser(principal, { username: "other", password });
    expect(await codeOf(again)).toBe("unauthenticated");
  });

  test("the setup token is given once, and a renewed one replaces it", async () => {
    await using t = await openTestAccess(dialect);
    const { token } = await setup(t);
    expect(await t.access.setupToken()).toBeUndefined();
    expect(await (await t.apart()).setupToken()).toBeUndefined();
    const renewed = await t.access.setupToken({ renew: true });
    expect(await codeOf(t.as(token))).toBe("unauthenticated");
    expect(await t.as(renewed ?? "")).toMatchObject({ kind: "setup" });
  });

  test("of two first users at once, in two processes, there is one", async () => {
    await using t = await openTestAccess(dialect);
    const other = await t.apart();
    const { principal } = await setup(t);
    const outcomes = await Promise.allSettled([
      t.access.createUser(principal, { username: "one", password }),
      other.createUser(principal, { username: "two", password }),
      t.access.createUser(principal, { username: "three", password }),
    ]);
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect((await t.access.listUsers(operator)).items).toHaveLength(1);
  });

  test("of two starts at once one gets the setup token", async () => {
    await using t = await openTestAccess(dialect);
    const other = await t.apart();
    const tokens = await Promise.all([t.access.setupToken(), other.setupToken()]);
    expect(tokens.filter((token) => token !== undefined)).toHaveLength(1);
  });

  test("the setup token does nothing else", async () => {
    await using t = await openTestAccess(dialect);
    const { principal: by } = await setup(t);
    const refused = [
      t.access.listUsers(by),
      t.access.listTokens(by),
      t.access.createToken(by, { name: "x" }),
      t.access.listKeys(by),
      t.access.rotateKey(by),
      t.access.listRefusals(by),
      t.access.setPassword(by, "x", password),
    ];
    for (const each of refused) {
      expect(["permission_denied", "invalid_argument"]).toContain(await codeOf(each));
    }
  });

  test("are managed by admin:* only", async () => {
    await using t = await openTestAccess(dialect);
    const ada = await t.user("ada", "admin:acme/*", "write:*", "metrics");
    const anonymous = await t.access.authenticate(undefined, here);
    const calls = (by: Principal) => [
      t.access.createUser(by, { username: "eve", password }),
      t.access.getUser(by, "ada"),
      t.access.listUsers(by),
      t.access.disableUser(by, "ada"),
      t.access.enableUser(by, "ada"),
      t.access.setScopes(by, "ada", ["admin:*"]),
      t.access.setPassword(by, "ada", password),
      t.access.listKeys(by),
      t.access.rotateKey(by),
      t.access.listRefusals(by),
    ];
    for (const call of calls(ada)) expect(await codeOf(call)).toBe("permission_denied");
    for (const call of calls(anonymous)) expect(await codeOf(call)).toBe("unauthenticated");
    expect(await codeOf(t.access.me(anonymous))).toBe("unauthenticated");
    expect(await codeOf(t.access.listTokens(anonymous))).toBe("unauthenticated");
  });

  test("are made, listed, disabled and enabled, and each change is an event", async () => {
    await using t = await openTestAccess(dialect);
    const root = await t.user("root", "admin:*");
    for (const username of ["cy", "ada", "bob"]) {
      await t.access.createUser(root, { username, password, scopes: ["read:b/*", "read:*"] });
    }
    expect(await codeOf(t.access.createUser(root, { username: "ada", password }))).toBe(
      "user_exists",
    );
    const first = await t.access.listUsers(root, { limit: 3 });
    expect(first.items.map(({ username }) => username)).toEqual(["ada", "bob", "cy"]);
    const rest = await t.access.listUsers(root, { cursor: first.cursor ?? "" });
    expect(rest.items.map(({ username }) => username)).toEqual(["root"]);
    expect(first.items[0]).toMatchObject({ scopes: ["read:*"], createdBy: root.actor });
    await t.access.disableUser(root, "ada");
    await t.access.disableUser(root, "ada");
    await t.access.enableUser(root, "ada");
    await t.access.setScopes(root, "ada", ["write:a/*"]);
    await t.access.setScopes(root, "ada", ["write:a/*"]);
    await t.access.setPassword(root, "ada", "violet anchor lamp");
    await t.access.login({ username: "ada", password: "violet anchor lamp" }, here);
    expect(await codeOf(t.access.getUser(root, "nobody"))).toBe("user_not_found");
    expect(await codeOf(t.access.disableUser(root, "nobody"))).toBe("user_not_found");
    const events = await accountEvents(t.log);
    const { id } = await t.access.getUser(root, "ada");
    const about = events.filter(({ subject }) => subject === `user:${id}`);
    expect(about.map(({ type }) => type.replace("v1.user.", ""))).toEqual([
      "created",
      "disabled",
      "enabled",
      "scopes_set",
      "password_set",
    ]);
    expect(new Set(about.map(({ actor }) => actor))).toEqual(new Set([root.actor]));
    expect(JSON.stringify(events)).not.toContain("argon2");
  });

  test("have names and passwords that follow the rules", async () => {
    await using t = await openTestAccess(dialect);
    const make = (username: string, given: string) =>
      codeOf(t.access.createUser(operator, { username, password: given }));
    for (const name of ["", "Ada", "a b", "-a", "a".repeat(65), "ä", "a/b", "a:b"]) {
      expect(await make(name, password), name).toBe("invalid_name");
    }
    expect(await make("ada", "tulip kettl")).toBe("invalid_password");
    expect(await make("ada", "Password!2024")).toBe("invalid_password");
    expect(await make("a".repeat(64), password)).toBe("nothing thrown");
  });

  test("a disabled user's password is refused even where it is right", async () => {
    await using t = await openTestAccess(dialect);
    await t.user("ada");
    await t.access.disableUser(operator, "ada");
    expect(await codeOf(t.access.login({ username: "ada", password }, here))).toBe(
      "unauthenticated",
    );
    await t.access.enableUser(operator, "ada");
    await t.access.login({ username: "ada", password }, here);
  });

  test("what accounts record does not disturb the registry's replay", async () => {
    await using t = await openTestAccess(dialect);
    await setup(t);
    await t.user("ada", "read:*");
    expect(await t.registry.replay({ check: true })).toMatchObject({ differences: [] });
    await t.registry.verifyLog();
  });
});
