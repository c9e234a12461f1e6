import { isStoreError } from "@store/identity";
import { readCddl } from "@store/testing/cddl";
import { describe, expect, test } from "vitest";

import { payloadBytes } from "../src/lib/events/record.ts";
import { eventTypes, type NewEvent } from "../src/lib/events/types.ts";
import {
  accountEvents,
  codeOf,
  dialects,
  here,
  openTestAccess,
  operator,
  password,
} from "./instance.ts";

const judge = readCddl(new URL("../access-events.cddl", import.meta.url));
const ruleOf = (type: string): string => type.replace("v1.", "").replaceAll(/[._]/g, "-");

const id = "01900000-0000-7000-8000-000000000000";
const invalid: readonly [string, unknown][] = [
  ["v1.user.created", { user_id: id, username: "Ada", scopes: [] }],
  ["v1.user.created", { user_id: id, username: "ada", scopes: ["everything"] }],
  ["v1.user.created", { user_id: id, username: "ada", scopes: [], password_hash: "x" }],
  ["v1.user.disabled", { user_id: "1" }],
  ["v1.user.disabled", {}],
  ["v1.session.ended", { session_id: id, user_id: id, reason: "boredom" }],
  ["v1.session.begun", { session_id: id, user_id: id, refresh_token: "x" }],
  ["v1.token.created", { token_id: id, kind: "api", user_id: id, name: "", scopes: [] }],
  ["v1.token.created", { token_id: id, kind: "other", name: "x", scopes: [] }],
  ["v1.key.created", { key_id: id, algorithm: "none" }],
];

describe.each(dialects)("events on %s", (dialect) => {
  test("of every type are what the CDDL and the schemas say", async () => {
    await using t = await openTestAccess(dialect);
    const { access } = t;
    await access.setupToken();
    await access.setupToken({ renew: true });
    const ada = await t.user("ada", "admin:*");
    const { id: tokenId } = await access.createToken(ada, { name: "ci", expiresInMs: 60_000 });
    await access.revokeToken(ada, tokenId);
    await access.setScopes(ada, "ada", ["admin:*", "metrics"]);
    await access.setPassword(ada, "ada", "violet anchor lamp");
    await access.disableUser(operator, "ada");
    await access.enableUser(operator, "ada");
    await access.rotateKey(operator);
    const events = await accountEvents(t.log);
    for (const { type, payload, subject } of events) {
      expect(judge(ruleOf(type), payload), type).toBeUndefined();
      expect(() => payloadBytes({ type, payload } as NewEvent)).not.toThrow();
      expect(subject).toMatch(/^(user|session|token|key):[0-9a-f-]{36}$/);
    }
    expect(new Set(events.map(({ type }) => type))).toEqual(new Set(eventTypes));
  });

  test("and rows are made together or not at all", async () => {
    await using t = await openTestAccess(dialect);
    await t.user("ada");
    const before = await t.log.head();
    const again = { username: "ada", password };
    expect(await codeOf(t.access.createUser(operator, again))).toBe("user_exists");
    expect(await codeOf(t.access.login({ ...again, password: "wrong" }, here))).toBe(
      "unauthenticated",
    );
    expect(await codeOf(t.access.revokeToken(operator, id))).toBe("token_not_found");
    expect(await t.log.head()).toEqual(before);
  });

  test("hold no secret of any kind", async () => {
    await using t = await openTestAccess(dialect);
    const ada = await t.user("ada", "admin:*");
    const session = await t.access.login({ username: "ada", password }, here);
    const next = await t.access.refresh(session.refreshToken, here);
    const { token } = await t.access.createToken(ada, { name: "ci" });
    const { users, sessions, apiTokens, signingKeys } = t.database.tables;
    const [user] = await t.database.reader.select().from(users);
    const [row] = await t.database.reader.select().from(sessions);
    const [api] = await t.database.reader.select().from(apiTokens);
    const [key] = await t.database.reader.select().from(signingKeys);
    const texts = [password, token, user?.passwordHash, key?.privateKey];
    texts.push(session.accessToken, session.refreshToken, next.refreshToken);
    const digests = [row?.familyDigest, row?.refreshDigest, api?.tokenDigest];
    const secrets = [...texts, ...digests].map((secret) => Buffer.from(secret ?? "missing"));
    for (const { header, payload } of await t.log.read({ after: 0, limit: 1_000 })) {
      const bytes = Buffer.concat([header, payload]);
      for (const secret of secrets) expect(bytes.includes(secret)).toBe(false);
    }
  });
});

test.each(invalid)("a wrong %s is neither by the CDDL nor recorded", (type, payload) => {
  expect(judge(ruleOf(type), payload)).toEqual(expect.any(String));
  try {
    payloadBytes({ type, payload } as NewEvent);
    expect.unreachable();
  } catch (error) {
    expect(isStoreError(error, "internal")).toBe(true);
  }
});
