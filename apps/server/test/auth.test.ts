import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { openWholeServer, passwordOf, type WholeServer } from "./whole-server.ts";

let server: WholeServer;

beforeAll(async () => {
  server = await openWholeServer();
});
afterAll(() => server[Symbol.asyncDispose]());

/** The JSON of an answer that must have this status. */
async function answered(response: Response, status: number): Promise<Record<string, never>> {
  expect([response.status, response.ok ? "" : await response.clone().text()]).toEqual([
    status,
    response.ok ? "" : expect.any(String),
  ]);
  return (await response.json()) as Record<string, never>;
}

describe("the first start", () => {
  it("gives one setup token, which makes the first user and nothing else", async () => {
    await using empty = await openWholeServer();
    const setup = await empty.access.setupToken();
    expect(setup).toMatch(/^store_/);
    expect(await empty.access.setupToken()).toBeUndefined();

    expect((await empty.request("GET", "/api/v1/packages", { token: setup })).status).toBe(403);
    const ada = { username: "ada", password: "a horse of brass and a sword" };
    const made = await empty.request("POST", "/api/v1/admin/users", { token: setup, body: ada });
    expect(await answered(made, 201)).toMatchObject({
      username: "ada",
      scopes: ["admin:*", "metrics"],
    });
    const bob = { ...ada, username: "bob" };
    const again = await empty.request("POST", "/api/v1/admin/users", { token: setup, body: bob });
    expect(again.status).toBe(401);
  });
});

describe("a session", () => {
  it("begins with a password, tells whom it stands for, and goes on by refreshing", async () => {
    await server.tokenFor("read:acme/*");
    const username = "user-1";
    const body = { username, password: passwordOf(username) };
    const session = await answered(await server.request("POST", "/auth/login", { body }), 200);
    expect(session).toMatchObject({ token_type: "Bearer", expires_in: 900 });

    const me = await server.request("GET", "/auth/me", { token: session.access_token });
    expect(await answered(me, 200)).toMatchObject({
      kind: "user",
      username,
      scopes: ["read:acme/*"],
    });

    const old = { refresh_token: session.refresh_token };
    const fresh = await answered(await server.request("POST", "/auth/refresh", { body: old }), 200);
    expect(fresh.refresh_token).not.toBe(session.refresh_token);

    const reuse = await server.request("POST", "/auth/refresh", { body: old });
    expect(await answered(reuse, 401)).toMatchObject({ code: "unauthenticated" });
    const after = await server.request("GET", "/auth/me", { token: fresh.access_token });
    expect(after.status).toBe(401);
  });

  it("ends when it is logged out, with its access token alone or its refresh token", async () => {
    await server.tokenFor("read:*");
    const username = "user-2";
    for (const by of ["access", "refresh"] as const) {
      const body = { username, password: passwordOf(username) };
      const session = await answered(await server.request("POST", "/auth/login", { body }), 200);
      const logout =
        by === "access"
          ? { token: session.access_token }
          : { body: { refresh_token: session.refresh_token } };
      expect((await server.request("POST", "/auth/logout", logout)).status).toBe(204);
      const me = await server.request("GET", "/auth/me", { token: session.access_token });
      expect(me.status).toBe(401);
    }
  });

  it("does not begin with a wrong password or for nobody, with one answer for both", async () => {
    const attempt = async (username: string) => {
      const body = { username, password: "certainly not this one" };
      const response = await server.request("POST", "/auth/login", { body });
      const { requestId: _, ...problem } = await answered(response, 401);
      return problem;
    };
    expect(await attempt("user-1")).toEqual(await attempt("nobody-here"));
  });

  it("changes its password, and the old one is worth nothing", async () => {
    await server.tokenFor("read:*");
    const username = "user-3";
    const body = { username, password: passwordOf(username) };
    const session = await answered(await server.request("POST", "/auth/login", { body }), 200);
    const change = { current_password: body.password, new_password: "quite another long phrase" };
    const token = session.access_token;
    const changed = await server.request("POST", "/auth/change-password", { token, body: change });
    expect(changed.status).toBe(204);
    expect((await server.request("POST", "/auth/login", { body })).status).toBe(401);
    const next = { username, password: change.new_password };
    expect((await server.request("POST", "/auth/login", { body: next })).status).toBe(200);
  });
});

describe("API tokens", () => {
  it("are made within their maker's scopes, listed without their secret, and revoked", async () => {
    await server.tokenFor("write:acme/*");
    const username = "user-4";
    const login = { username, password: passwordOf(username) };
    const { access_token: token } = await answered(
      await server.request("POST", "/auth/login", { body: login }),
      200,
    );
    const body = { name: "ci", scopes: ["read:acme/app"], expires_in: 3600 };
    const made = await answered(
      await server.request("POST", "/api/v1/tokens", { token, body }),
      201,
    );
    expect(made).toMatchObject({ name: "ci", owner: username, scopes: ["read:acme/app"] });

    const beyond = { name: "more", scopes: ["read:*"] };
    const refused = await server.request("POST", "/api/v1/tokens", { token, body: beyond });
    expect(refused.status).toBe(403);

    const me = await server.request("GET", "/auth/me", { token: made.token });
    expect(await answered(me, 200)).toMatchObject({ kind: "token", scopes: ["read:acme/app"] });

    const list = await (await server.request("GET", "/api/v1/tokens", { token })).text();
    expect(list).toContain(made.id);
    expect(list).not.toContain(made.token);

    const revoked = await server.request("DELETE", `/api/v1/tokens/${made.id}`, { token });
    expect(revoked.status).toBe(204);
    expect((await server.request("GET", "/auth/me", { token: made.token })).status).toBe(401);
  });
});

describe("administration", () => {
  it("makes, shows, limits, disables and enables users, for `admin:*` alone", async () => {
    const admin = await server.tokenFor("admin:*");
    const other = await server.tokenFor("admin:acme/*");
    const body = { username: "grace", password: "a compiler and a moth", scopes: ["read:acme/*"] };
    const made = await server.request("POST", "/api/v1/admin/users", { token: admin, body });
    expect(await answered(made, 201)).toMatchObject({ username: "grace", scopes: ["read:acme/*"] });
    const twice = await server.request("POST", "/api/v1/admin/users", { token: admin, body });
    expect(await answered(twice, 409)).toMatchObject({ code: "user_exists" });
    const denied = await server.request("GET", "/api/v1/admin/users", { token: other });
    expect(denied.status).toBe(403);

    const place = "/api/v1/admin/users/grace";
    const scopes = { scopes: ["write:acme/*"] };
    const set = await server.request("PUT", `${place}/scopes`, { token: admin, body: scopes });
    expect(await answered(set, 200)).toMatchObject(scopes);

    const login = { username: "grace", password: body.password };
    const disabled = await server.request("POST", `${place}/disable`, { token: admin });
    expect(await answered(disabled, 200)).toHaveProperty("disabled_at");
    expect((await server.request("POST", "/auth/login", { body: login })).status).toBe(401);
    const enabled = await server.request("POST", `${place}/enable`, { token: admin });
    expect(await answered(enabled, 200)).not.toHaveProperty("disabled_at");
    expect((await server.request("POST", "/auth/login", { body: login })).status).toBe(200);

    const password = { password: "a nanosecond of wire" };
    const reset = await server.request("PUT", `${place}/password`, {
      token: admin,
      body: password,
    });
    expect(reset.status).toBe(204);
    expect((await server.request("POST", "/auth/login", { body: login })).status).toBe(401);
  });

  it("rotates the keys without logging anybody out", async () => {
    const admin = await server.tokenFor("admin:*");
    await server.tokenFor("read:*");
    const username = "user-8";
    const body = { username, password: passwordOf(username) };
    const response = await server.request("POST", "/auth/login", { body });
    const { access_token: token } = await answered(response, 200);
    const rotated = await server.request("POST", "/api/v1/admin/keys/rotate", { token: admin });
    const key = await answered(rotated, 201);
    expect((await server.request("GET", "/auth/me", { token })).status).toBe(200);
    const keys = await server.request("GET", "/api/v1/admin/keys", { token: admin });
    const { items } = await answered(keys, 200);
    expect(items).toContainEqual(expect.objectContaining({ id: key.id }));
    expect(JSON.stringify(items)).not.toContain("private");
  });

  it("shows who was refused what, and not with which secret", async () => {
    const admin = await server.tokenFor("admin:*");
    const token = `store_${"x".repeat(50)}`;
    const refused = await server.request("GET", "/api/v1/names?limit=1", { token });
    const requestId = refused.headers.get("x-request-id");
    await expect
      .poll(
        async () =>
          (await server.request("GET", "/api/v1/admin/refusals", { token: admin })).text(),
        {
          timeout: 20_000,
        },
      )
      .toContain(requestId);
    const list = await server.request("GET", "/api/v1/admin/refusals", { token: admin });
    const { items } = await answered(list, 200);
    expect(items).toContainEqual(
      expect.objectContaining({
        request_id: requestId,
        code: "unauthenticated",
        method: "GET",
        path: "/api/v1/names",
      }),
    );
    expect(JSON.stringify(items)).not.toContain(token);
  });

  it("checks the instance, its views and its log, and sweeps", async () => {
    const token = await server.tokenFor("admin:*");
    const health = await server.request("GET", "/api/v1/admin/health", { token });
    expect(await answered(health, 200)).toMatchObject({
      healthy: true,
      database: { dialect: "sqlite" },
      backends: { primary: { kind: "memory" } },
    });
    const check = { check: true };
    const replay = await server.request("POST", "/api/v1/admin/replay", { token, body: check });
    expect(await answered(replay, 200)).toMatchObject({ differences: [] });
    const verified = await server.request("POST", "/api/v1/admin/verify-log", { token });
    expect(await answered(verified, 200)).toMatchObject({
      root: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    const sweep = await server.request("POST", "/api/v1/admin/sweep", { token });
    expect(await answered(sweep, 200)).toMatchObject({ packages_expired: 0 });
  });
});
