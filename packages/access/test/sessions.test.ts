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

const minute = 60_000;

describe.each(dialects)("sessions on %s", (dialect) => {
  test("a login gives an access token that stands for the user", async () => {
    await using t = await openTestAccess(dialect);
    await t.access.createUser(operator, { username: "ada", password, scopes: ["write:acme/*"] });
    const secrets = await t.access.login({ username: "ada", password }, here);
    expect(secrets).toMatchObject({ accessSeconds: 900, refreshSeconds: 2_592_000 });
    const ada = await t.as(secrets.accessToken);
    expect(ada).toMatchObject({ kind: "user", username: "ada", sessionId: secrets.sessionId });
    expect(await t.access.me(ada)).toMatchObject({ scopes: ["write:acme/*"], kind: "user" });
  });

  test("unknown, wrong and disabled are refused in the same words", async () => {
    await using t = await openTestAccess(dialect);
    await t.user("ada");
    await t.user("eve");
    await t.access.disableUser(operator, "eve");
    const tries = [
      { username: "nobody", password },
      { username: "ada", password: "wrong kettle orbit" },
      { username: "ada", password: "" },
      { username: "eve", password },
      { username: "NOT A NAME", password },
    ];
    const messages = new Set<string>();
    for (const each of tries) {
      const error: unknown = await t.access.login(each, here).catch((refused: unknown) => refused);
      expect(error).toMatchObject({ code: "unauthenticated", context: {} });
      messages.add(String(error));
    }
    expect(messages.size).toBe(1);
  });

  test("a refresh token works once, and the next one too", async () => {
    await using t = await openTestAccess(dialect);
    await t.user("ada");
    const first = await t.access.login({ username: "ada", password }, here);
    t.advance(20 * minute);
    expect(await codeOf(t.as(first.accessToken))).toBe("unauthenticated");
    const second = await t.access.refresh(first.refreshToken, here);
    expect(await t.as(second.accessToken)).toMatchObject({ username: "ada" });
    const third = await t.access.refresh(second.refreshToken, here);
    expect(third.sessionId).toBe(first.sessionId);
    expect(new Set([first, second, third].map((each) => each.refreshToken)).size).toBe(3);
  });

  test("a refresh token that is used again ends the session, and says so in the log", async () => {
    await using t = await openTestAccess(dialect);
    await t.user("ada");
    const first = await t.access.login({ username: "ada", password }, here);
    const second = await t.access.refresh(first.refreshToken, here);
    expect(await codeOf(t.access.refresh(first.refreshToken, here))).toBe("unauthenticated");
    expect(await codeOf(t.access.refresh(second.refreshToken, here))).toBe("unauthenticated");
    expect(await codeOf(t.as(second.accessToken))).toBe("unauthenticated");
    const ended = (await accountEvents(t.log)).filter(({ type }) => type === "v1.session.ended");
    expect(ended).toMatchObject([
      { subject: `session:${first.sessionId}`, payload: { reason: "reuse" } },
    ]);
  });

  test("of two refreshes with one token at once, in two processes, one gets tokens", async () => {
    await using t = await openTestAccess(dialect);
    const other = await t.apart();
    await t.user("ada");
    for (let round = 0; round < 5; round++) {
      const { refreshToken } = await t.access.login({ username: "ada", password }, here);
      const outcomes = await Promise.allSettled([
        t.access.refresh(refreshToken, here),
        other.refresh(refreshToken, here),
      ]);
      const won = outcomes.filter((each) => each.status === "fulfilled");
      expect(won.length).toBe(1);
    }
  });

  test("an invented refresh token does not end the session that it names", async () => {
    await using t = await openTestAccess(dialect);
    await t.user("ada");
    const { refreshToken } = await t.access.login({ username: "ada", password }, here);
    const other = await t.access.login({ username: "ada", password }, here);
    const bytes = Buffer.from(refreshToken.slice(7), "base64url");
    const invented = Buffer.concat([bytes.subarray(0, 16), Buffer.alloc(64, 7)]);
    const forged = `storer_${invented.toString("base64url")}`;
    expect(await codeOf(t.access.refresh(forged, here))).toBe("unauthenticated");
    await t.access.logout({ refreshToken: forged });
    const grafted = Buffer.concat([
      Buffer.from(other.refreshToken.slice(7), "base64url").subarray(0, 16),
      bytes.subarray(16),
    ]);
    const graft = `storer_${grafted.toString("base64url")}`;
    expect(await codeOf(t.access.refresh(graft, here))).toBe("unauthenticated");
    expect(await codeOf(t.access.refresh(refreshToken, here))).toBe("nothing thrown");
    expect(await codeOf(t.access.refresh(other.refreshToken, here))).toBe("nothing thrown");
  });

  test("a session that nobody refreshes ends, and a sweep removes it with an event", async () => {
    await using t = await openTestAccess(dialect, { refreshTokenMs: 60 * minute });
    await t.user("ada");
    const { refreshToken, sessionId } = await t.access.login({ username: "ada", password }, here);
    t.advance(30 * minute);
    expect(await t.access.sweep()).toMatchObject({ sessionsRemoved: 0 });
    t.advance(31 * minute);
    expect(await codeOf(t.access.refresh(refreshToken, here))).toBe("unauthenticated");
    expect(await t.access.sweep()).toMatchObject({ sessionsRemoved: 2 });
    const ended = (await accountEvents(t.log)).filter(({ type }) => type === "v1.session.ended");
    expect(ended.map(({ payload }) => payload)).toContainEqual(
      expect.objectContaining({ session_id: sessionId, reason: "expired" }),
    );
  });

  test("logging out ends the session at once, by either token, and again is success", async () => {
    await using t = await openTestAccess(dialect);
    await t.user("ada");
    const one = await t.access.login({ username: "ada", password }, here);
    const two = await t.access.login({ username: "ada", password }, here);
    const principal = await t.as(one.accessToken);
    await t.access.logout(principal);
    await t.access.logout(principal);
    expect(await codeOf(t.as(one.accessToken))).toBe("unauthenticated");
    expect(await t.as(two.accessToken)).toMatchObject({ username: "ada" });
    await t.access.logout({ refreshToken: two.refreshToken });
    await t.access.logout({ refreshToken: "storer_nonsense" });
    expect(await codeOf(t.as(two.accessToken))).toBe("unauthenticated");
    expect(await codeOf(t.access.refresh(two.refreshToken, here))).toBe("unauthenticated");
  });

  test("another process notices within two seconds that a session has ended", async () => {
    await using t = await openTestAccess(dialect);
    const other = await t.apart();
    await t.user("ada");
    const { accessToken } = await t.access.login({ username: "ada", password }, here);
    const ada = await t.as(accessToken, other);
    await t.access.logout(ada);
    expect(await t.as(accessToken, other)).toEqual(ada);
    t.advance(2_000);
    expect(await codeOf(t.as(accessToken, other))).toBe("unauthenticated");
  });

  test("the hundred and first session of a user ends the oldest", async () => {
    await using t = await openTestAccess(dialect);
    const ada = await t.user("ada");
    const { sessions } = t.database.tables;
    const [row] = await t.database.reader.select().from(sessions);
    if (row === undefined) throw new Error("There is a session.");
    const copies = Array.from({ length: 99 }, (_, index) => ({
      ...row,
      sessionId: `ffffffff-0000-7000-8000-${String(index).padStart(12, "0")}`,
    }));
    await t.database.write(({ sql }) => sql.insert(sessions).values(copies));
    await t.access.login({ username: "ada", password }, here);
    const ended = (await accountEvents(t.log)).filter(({ type }) => type === "v1.session.ended");
    expect(ended).toMatchObject([{ payload: { session_id: ada.sessionId, reason: "superseded" } }]);
  });

  test("changing one's password ends every other session, and needs the current one", async () => {
    await using t = await openTestAccess(dialect);
    const ada = await t.user("ada");
    const other = await t.access.login({ username: "ada", password }, here);
    const change = (currentPassword: string, newPassword: string) =>
      t.access.changePassword(ada, { currentPassword, newPassword }, here);
    expect(await codeOf(change("wrong kettle orbit", "violet anchor lamp"))).toBe(
      "unauthenticated",
    );
    expect(await codeOf(change(password, "short"))).toBe("invalid_password");
    await change(password, "violet anchor lamp");
    expect(await codeOf(t.as(other.accessToken))).toBe("unauthenticated");
    expect(await codeOf(t.access.login({ username: "ada", password }, here))).toBe(
      "unauthenticated",
    );
    await t.access.login({ username: "ada", password: "violet anchor lamp" }, here);
    const { token } = await t.access.createToken(ada, { name: "ci" });
    const byToken = await t.as(token);
    const passwords = { currentPassword: "violet anchor lamp", newPassword: password };
    expect(await codeOf(t.access.changePassword(byToken, passwords, here))).toBe(
      "permission_denied",
    );
  });
});
