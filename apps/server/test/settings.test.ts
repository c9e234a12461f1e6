import { readFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { resolve } from "node:path";

import { readSettings, redactUrl, settingNames } from "@store/server/runtime";
import { describe, expect, it } from "vitest";

const example = new URL("../../../.env.example", import.meta.url);

describe("settings", () => {
  it("serve ./data on 127.0.0.1:8000 with SQLite where nothing is set", () => {
    expect(readSettings({}, {})).toEqual({
      dataFolder: resolve("data"),
      objectsFolder: resolve("data/objects"),
      databaseUrl: `sqlite:${resolve("data/store.db")}`,
      actor: `local:${userInfo().username}`,
      host: "127.0.0.1",
      port: 8000,
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
    expect(readSettings({ data: "/other", port: 0 }, environment)).toEqual({
      dataFolder: "/other",
      objectsFolder: "/other/objects",
      databaseUrl: "postgres://db/store",
      actor: "ci",
      host: "0.0.0.0",
      port: 0,
    });
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

describe("a database URL that is shown", () => {
  it("has neither password nor parameters", () => {
    expect(redactUrl("postgres://store:secret@db:5432/store?sslkey=abc")).toBe(
      "postgres://store:***@db:5432/store?sslkey=***",
    );
    expect(redactUrl("sqlite:./data/store.db")).toBe("sqlite:./data/store.db");
    expect(redactUrl("postgres://sto re:secret@:/")).not.toContain("secret");
  });
});
