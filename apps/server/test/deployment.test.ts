import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";

import { openAccess } from "@store/access";
import { routes } from "@store/api";
import { openDatabase } from "@store/database";
import { openLog } from "@store/events";
import { openRegistry } from "@store/registry";
import { readSettings, settingNames } from "@store/server/runtime";
import { createMemoryBackend } from "@store/storage/memory";
import { beforeAll, describe, expect, it } from "vitest";

import { EventFollowers } from "../src/lib/operation/event-followers.ts";
import { ServerMetrics } from "../src/lib/operation/metrics.ts";

const root = join(import.meta.dirname, "../../..");

async function read(path: string): Promise<string> {
  return await readFile(join(root, path), "utf8");
}

/** What `/metrics` names, with the kind of each. */
async function exportedMetrics(): Promise<Map<string, string>> {
  const metrics = new ServerMetrics();
  await using closing = new AsyncDisposableStack();
  const database = await openDatabase("sqlite::memory:");
  closing.defer(() => database.close());
  await database.migrate();
  const log = await openLog(database);
  const backends = { primary: createMemoryBackend() };
  const registry = await openRegistry({ database, log, backends, actor: "ada" });
  closing.defer(() => registry.close());
  const access = await openAccess({ log });
  closing.defer(() => access.close());
  metrics.observe({ registry, access, database, followers: new EventFollowers() });
  const text = await metrics.text();
  return new Map(
    [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = "", kind = ""]) => [name, kind]),
  );
}

let exported: Map<string, string>;
beforeAll(async () => {
  exported = await exportedMetrics();
});

const documents = ["docs/DEPLOYMENT.md", "docs/OPERATOR.md", "docs/SECURITY.md"];
const deployed = await Array.fromAsync(glob("deploy/**/*.*", { cwd: root }));
const files = [...documents, ...deployed, "deploy/container/Dockerfile"];

describe("what is said of running a server", () => {
  it.each(files)("names settings that there are: %s", async (path) => {
    const named = (await read(path)).match(/\bSTORE_[A-Z][A-Z_]*\b/g) ?? [];
    expect(named.filter((name) => !(name in settingNames))).toEqual([]);
  });

  it.each(files)("names metrics that there are: %s", async (path) => {
    const text = await read(path);
    const named = text.match(/\b(?:store_[a-z]+|process|nodejs)_[a-z_0-9]*[a-z]\b/g) ?? [];
    const series = named.map((name) => name.replace(/_(?:bucket|count|sum)$/, ""));
    expect(series.filter((name) => !exported.has(name))).toEqual([]);
  });

  it("has every setting in the operator's table", async () => {
    const text = await read("docs/OPERATOR.md");
    const rows = text.split("\n").filter((line) => line.startsWith("| `"));
    const named = rows.flatMap((row) => /^\|([^|]*)\|/.exec(row)?.[1]?.match(/[A-Z_]{8,}/g) ?? []);
    for (const name of Object.keys(settingNames)) expect(named).toContain(name);
  });

  it("has every metric in a table, with its kind", async () => {
    const text = await read("docs/DEPLOYMENT.md");
    const rows = [...text.matchAll(/^\| `(store_\w+)` +\| (\w+) +\|/gm)];
    const own = [...exported].filter(([name]) => name.startsWith("store_"));
    expect(new Map(rows.map(([, name = "", kind = ""]) => [name, kind]))).toEqual(new Map(own));
  });

  it("has alerts about operations that there are", async () => {
    const text = await read("deploy/prometheus/alerts.yaml");
    const named = [...text.matchAll(/operation[!=~]+"([^"]*)"/g)].flatMap(([, names = ""]) =>
      names.split("|"),
    );
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((name) => name !== "none" && !(name in routes))).toEqual([]);
  });

  it("takes the settings of the examples", async () => {
    const compose = await read("deploy/compose.yaml");
    const rows = [...compose.matchAll(/^ +(STORE_\w+): (.*)$/gm)];
    // As Compose fills them in where nothing is set: a default, or nothing.
    const environment = Object.fromEntries(
      rows.map(([, name = "", value = ""]) => [
        name,
        value.replaceAll(
          /\$\{\w+(?::-([^}]*)|:\?[^}]*)\}/g,
          (_, otherwise: string) => otherwise ?? "",
        ),
      ]),
    );
    expect(Object.keys(environment).length).toBeGreaterThan(3);
    expect(readSettings({}, environment)).toMatchObject({
      databaseUrl: "postgres://store:@database:5432/store",
      workers: 1,
    });
    expect(() => readSettings({}, { STORE_PORT: "tcp://10.0.0.1:80" })).toThrow("STORE_PORT");
  });
});
