import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join, resolve } from "node:path";

import { isStoreError } from "@store/identity";
import { openInstance, readSettings, redactUrl, settingNames } from "@store/server/runtime";
import { describe, expect, it } from "vitest";

const example = new URL("../../../.env.example", import.meta.url);

describe("settings", () => {
  it("serve ./data on 127.0.0.1:8000 with SQLite where nothing is set", () => {
    expect(readSettings({}, {})).toEqual({
      dataFolder: resolve("data"),
      storage: {
        backends: { primary: { kind: "local", root: resolve("data/objects") } },
        placement: { primary: "primary", mirrors: [], readOrder: ["primary"] },
      },
      database: {
        readerConnections: 8,
        statementTimeoutMs: 30_000,
        connectTimeoutMs: 10_000,
        replicaUrl: [],
        replicaLagMs: 5_000,
      },
      databaseUrl: `sqlite:${resolve("data/store.db")}`,
      actor: `local:${userInfo().username}`,
      host: "127.0.0.1",
      port: 8000,
      access: {
        anonymousRead: false,
        accessTokenMs: 900_000,
        refreshTokenMs: 2_592_000_000,
        clockSkewMs: 30_000,
        limits: {
          loginByAddress: { failures: 30, withinMs: 600_000 },
          loginByAccount: { failures: 10, withinMs: 600_000 },
          tokenByAddress: { failures: 100, withinMs: 60_000 },
          changesByUser: { failures: 600, withinMs: 600_000 },
        },
      },
      limits: {
        objectLimitBytes: 5_497_558_138_880,
        objectMemoryBytes: 33_554_432,
        uploadMs: 86_400_000,
        openUploads: 10_000,
        openUploadsPerActor: 1_000,
      },
      workers: 1,
      log: { form: "text", level: "info" },
      events: { heartbeatMs: 15_000, slowSubscriberMs: 10_000, subscribers: 1_000 },
      http: {
        limits: {
          jsonBytes: 2_097_152,
          jsonDepth: 64,
          headerBytes: 16_384,
          headerCount: 100,
          urlBytes: 8_192,
          headersTimeoutMs: 15_000,
          bodyTimeoutMs: 30_000,
          idleTimeoutMs: 60_000,
          keepAliveTimeoutMs: 65_000,
          connections: 4_096,
          requests: 1_024,
        },
        drainMs: 10_000,
        corsOrigins: [],
        trustedProxies: { kind: "count", count: 0 },
      },
    });
  });

  it("come from the environment, and from the command line before that", () => {
    const environment = {
      STORE_DATA: "/srv/store",
      STORE_DATABASE_URL: "postgres://db/store",
      STORE_ACTOR: "ci",
      STORE_HOST: "0.0.0.0",
      STORE_PORT: "81",
    };
    expect(readSettings({ data: "/other", port: 0 }, environment)).toMatchObject({
      dataFolder: "/other",
      storage: { backends: { primary: { root: "/other/objects" } } },
      databaseUrl: "postgres://db/store",
      actor: "ci",
      host: "0.0.0.0",
      port: 0,
    });
  });

  it("take the values of .env.example for granted where nothing is set", async () => {
    const text = await readFile(example, "utf8");
    const set = [...text.matchAll(/^([A-Z_]+)=(.*)$/gm)].map((match) => [match[1], match[2]]);
    expect(readSettings({}, Object.fromEntries(set))).toEqual(readSettings({}, {}));
  });

  it.each([
    ["STORE_ANONYMOUS_READ", "yes"],
    ["STORE_ACCESS_TOKEN_SECONDS", "0"],
    ["STORE_LOGIN_FAILURES_PER_ACCOUNT", "0"],
    ["STORE_OPEN_UPLOADS", "many"],
    ["STORE_MAX_JSON_BYTES", "1"],
    ["STORE_IDLE_TIMEOUT_SECONDS", "0"],
    ["STORE_CORS_ORIGINS", "https://web.example.org/"],
    ["STORE_TRUSTED_PROXIES", "proxy.example.org"],
    ["STORE_PUBLIC_URL", "store.example.org"],
    ["STORE_PUBLIC_URL", "https://store.example.org/?a=b"],
  ])("refuse %s=%s, naming it", (name, value) => {
    expect(() => readSettings({}, { [name]: value })).toThrow(
      expect.objectContaining({ code: "invalid_argument", message: expect.stringContaining(name) }),
    );
  });

  it.each(["eighty", "-1", "65536", "80.5", "1e3"])("refuse the port %j", (text) => {
    expect(() => readSettings({}, { STORE_PORT: text })).toThrow(
      expect.objectContaining({ code: "invalid_argument" }),
    );
  });

  it("are all in .env.example, and nothing else is", async () => {
    const text = await readFile(example, "utf8");
    const listed = [...text.matchAll(/^#? ?([A-Z_]+)=/gm)].map((match) => match[1]);
    expect(new Set(listed)).toEqual(new Set(Object.keys(settingNames)));
    expect(listed.length).toBe(new Set(listed).size);
  });
});

it("the folder of an instance is made where something is kept in it, and else not", async () => {
  const folder = await mkdtemp(join(tmpdir(), "store-settings-"));
  try {
    const data = join(folder, "data");
    // Nobody answers there: an instance is not opened, and its folder is made before.
    const STORE_DATABASE_URL = "postgres://127.0.0.1:1/none";
    const open = async (STORE_STORAGE_URL?: string): Promise<boolean> => {
      const urls = STORE_STORAGE_URL === undefined ? {} : { STORE_STORAGE_URL };
      const settings = readSettings({ data }, { STORE_DATABASE_URL, ...urls });
      await expect(openInstance(settings, { create: true })).rejects.toMatchObject({
        code: "database_unavailable",
      });
      return existsSync(data);
    };
    expect(await open("s3://bucket/prefix")).toBe(false);
    expect(await open(`file:${join(folder, "data-of-others")}`)).toBe(false);
    expect(await open()).toBe(true);
  } finally {
    await rm(folder, { recursive: true });
  }
});

describe("the failures that are let through", () => {
  it("are as many as the settings say, before every attempt is refused", async () => {
    const folder = await mkdtemp(join(tmpdir(), "store-settings-"));
    const environment = {
      STORE_LOGIN_FAILURES_PER_ACCOUNT: "2",
      STORE_LOGIN_FAILURES_PER_ADDRESS: "4",
      STORE_TOKEN_FAILURES_PER_ADDRESS: "1",
    };
    const instance = await openInstance(readSettings({ data: folder }, environment), {
      create: true,
    });
    try {
      const access = await instance.access();
      const codeOf = (attempt: Promise<unknown>): Promise<unknown> =>
        attempt.then(
          () => "accepted",
          (error: unknown) => (isStoreError(error) ? error.code : error),
        );
      const from = { address: "192.0.2.1" };
      const login = (username: string) =>
        codeOf(access.login({ username, password: "wrong" }, from));
      const attempts = ["ada", "ada", "ada", "bob", "bob"];
      const codes: unknown[] = [];
      for (const username of attempts) codes.push(await login(username));
      const [wrong, limited] = ["unauthenticated", "rate_limited"];
      expect(codes).toEqual([wrong, wrong, limited, wrong, limited]);
      expect(await codeOf(access.authenticate("Bearer x", from))).toBe(wrong);
      expect(await codeOf(access.authenticate("Bearer x", from))).toBe(limited);
    } finally {
      await instance.close();
      await rm(folder, { recursive: true });
    }
  });
});

describe("a database URL that is shown", () => {
  it("has neither password nor parameters", () => {
    expect(redactUrl("postgres://store:secret@db:5432/store?sslkey=abc")).toBe(
      "postgres://store:***@db:5432/store?sslkey=***",
    );
    expect(redactUrl("sqlite:./data/store.db")).toBe("sqlite:./data/store.db");
    expect(redactUrl("postgres://sto re:secret@:/")).not.toContain("secret");
  });
});
