import { createTestDatabase } from "@store/testing/postgres";
import { describe, expect, it } from "vitest";

import { runBuiltStore, Sandbox } from "./store.ts";

runBuiltStore();

interface PackageJson {
  reference: string;
  id: string;
  status: string;
  yank_reason?: string;
}

/** A sandbox with an instance that has `acme/app` in two versions. */
async function sandboxWithApp(): Promise<Sandbox> {
  const sandbox = await Sandbox.create();
  await sandbox.write({ "one/app": "1", "two/app": "2" });
  await sandbox.ok("push", "one", "acme/app@1.0.0");
  await sandbox.ok("push", "two", "acme/app@2.0.0", "--tag", "stable", "--tag", "next");
  return sandbox;
}

describe("names and versions", () => {
  it("are listed, the highest version first, with tags", async () => {
    await using sandbox = await sandboxWithApp();
    await sandbox.ok("push", "one", "zoo/ape@1.0.0");
    const all = await sandbox.json<{ names: object[] }>("ls");
    expect(all.names).toMatchObject([
      { namespace: "acme", name: "app", package_count: 2 },
      { namespace: "zoo", name: "ape", package_count: 1 },
    ]);
    expect((await sandbox.json<{ names: object[] }>("ls", "zoo")).names).toHaveLength(1);
    expect((await sandbox.json<{ names: object[] }>("ls", "--limit", "1")).names).toHaveLength(1);
    const app = await sandbox.json<{ versions: PackageJson[]; tags: object[] }>("ls", "acme/app");
    expect(app.versions.map(({ reference }) => reference)).toEqual([
      "acme/app@2.0.0",
      "acme/app@1.0.0",
    ]);
    expect(app.tags).toMatchObject([
      { tag: "next", reference: "acme/app@2.0.0" },
      { tag: "stable", reference: "acme/app@2.0.0" },
    ]);
    const { stdout } = await sandbox.ok("ls", "acme/app");
    expect(stdout).toMatch(/VERSION +TAGS\n.*2\.0\.0 +next, stable\n.*1\.0\.0\n$/);
    expect(await sandbox.json("ls", "acme/none")).toEqual({ versions: [], tags: [] });
  });
});

describe("a tag", () => {
  it("moves, and is removed, and the package stays", async () => {
    await using sandbox = await sandboxWithApp();
    expect(await sandbox.json("tag", "acme/app@1.0.0", "stable")).toMatchObject({
      tag: "stable",
      reference: "acme/app@1.0.0",
    });
    expect((await sandbox.ok("cat", "acme/app:stable", "app")).stdout).toBe("1");
    await sandbox.ok("untag", "acme/app:stable");
    expect((await sandbox.store(["cat", "acme/app:stable", "app"])).exitCode).toBe(3);
    expect((await sandbox.store(["untag", "acme/app:stable"])).exitCode).toBe(3);
    expect((await sandbox.ok("cat", "acme/app:next", "app")).stdout).toBe("2");
  });
});

describe("a yanked package", () => {
  it("is latest no more, and still resolves with a warning that gives the reason", async () => {
    await using sandbox = await sandboxWithApp();
    const yank = ["yank", "acme/app@2.0.0", "--reason", "eats data"];
    expect(await sandbox.json<PackageJson>(...yank)).toMatchObject({ status: "yanked" });
    expect((await sandbox.ok("cat", "acme/app", "app")).stdout).toBe("1");
    const { stdout, stderr } = await sandbox.ok("cat", "acme/app@2.0.0", "app");
    expect(stdout).toBe("2");
    expect(stderr).toContain("warning: ");
    expect(stderr).toContain("eats data");
    await sandbox.ok("unyank", "acme/app@2.0.0");
    expect((await sandbox.ok("cat", "acme/app", "app")).stdout).toBe("2");
  });
});

describe("retention and holds", () => {
  it("keep a package for as long as they say", async () => {
    await using sandbox = await sandboxWithApp();
    const { classes } = await sandbox.json<{ classes: { name: string }[] }>("retention", "list");
    expect(classes).toContainEqual({ name: "permanent" });
    expect(classes).toContainEqual({ name: "release", duration_days: 730 });
    const set = await sandbox.json<object>("retention", "set", "acme/app@1.0.0", "permanent");
    expect(set).toMatchObject({ class: "permanent" });
    expect(set).not.toHaveProperty("expires_at");
    expect((await sandbox.store(["retention", "set", "acme/app@1.0.0", "none"])).exitCode).toBe(3);

    const place = ["hold", "place", "acme/app@1.0.0", "--reason", "audit"];
    const hold = await sandbox.json<{ id: string }>(...place);
    expect(await sandbox.json("hold", "list")).toMatchObject({
      holds: [{ id: hold.id, reference: "acme/app@1.0.0", reason: "audit", placed_by: "tester" }],
    });
    expect(await sandbox.json("hold", "list", "acme/app@2.0.0")).toEqual({ holds: [] });
    expect((await sandbox.ok("show", "acme/app@1.0.0")).stdout).toMatch(/held +audit/);
    await sandbox.ok("hold", "release", hold.id);
    expect(await sandbox.json("hold", "list")).toEqual({ holds: [] });
    expect(await sandbox.json("hold", "list", "--released")).toMatchObject({
      holds: [{ id: hold.id, released_by: "tester" }],
    });
    expect((await sandbox.store(["hold", "release", hold.id])).exitCode).toBe(4);
  });
});

describe("metadata", () => {
  const schema = {
    type: "object",
    required: ["team"],
    properties: { team: { type: "string" } },
  };

  it("must satisfy the registered schema that is named", async () => {
    await using sandbox = await Sandbox.create();
    await sandbox.write({
      "tree/a": "a",
      "schema.json": JSON.stringify(schema),
      "meta.json": '{"team":"core","rate":0.5}',
    });
    expect(await sandbox.json("schema", "add", "service", "schema.json")).toMatchObject({
      name: "service",
      revision: 1,
      schema,
    });
    const stdin = JSON.stringify({ ...schema, title: "Service" });
    expect((await sandbox.store(["schema", "add", "service", "-"], { stdin })).stdout).toContain(
      "service@2",
    );
    expect(await sandbox.json("schema", "list")).toMatchObject({
      schemas: [
        { name: "service", revision: 1 },
        { name: "service", revision: 2 },
      ],
    });
    expect(JSON.parse((await sandbox.ok("schema", "show", "service@1")).stdout)).toEqual(schema);

    const push = ["push", "tree", "acme/app@1", "--schema", "service", "--metadata"];
    const refused = await sandbox.store([...push, '{"team":1}']);
    expect(refused.exitCode).toBe(2);
    expect(refused.stderr).toContain("team");
    await sandbox.ok(...push, "@meta.json", "--source", "commit abc", "--build", "job 7");
    expect(await sandbox.json("show", "acme/app@1")).toMatchObject({
      package: {
        metadata: { team: "core", rate: 0.5 },
        metadata_schema: "service@2",
        source: "commit abc",
        build: "job 7",
      },
    });
    expect((await sandbox.store(["schema", "show", "none"])).exitCode).toBe(3);
  });
});

describe("a manifest", () => {
  it("has the digest that names the package, as CBOR", async () => {
    await using sandbox = await sandboxWithApp();
    const { bytes } = await sandbox.ok("manifest", "acme/app", "--format", "cbor");
    const { contentAddress } = await import("@store/identity");
    const { manifestDigest } = await import("@store/manifest");
    const { package: info } = await sandbox.json<{ package: { manifest_digest: string } }>(
      "show",
      "acme/app",
    );
    expect(contentAddress(await manifestDigest(bytes))).toBe(info.manifest_digest);
    expect(JSON.parse((await sandbox.ok("manifest", "acme/app")).stdout)).toMatchObject({
      manifest_version: 1,
      package: { version: "2.0.0" },
    });
  });
});

describe("an instance", () => {
  it("is healthy, needs no migration, and has nothing to sweep", async () => {
    await using sandbox = await sandboxWithApp();
    expect(await sandbox.json("health")).toMatchObject({
      healthy: true,
      database: { healthy: true, dialect: "sqlite" },
      backends: { primary: { healthy: true, kind: "local", free_bytes: expect.any(Number) } },
    });
    expect((await sandbox.ok("migrate")).stdout).toContain("already");
    expect(await sandbox.json("sweep")).toMatchObject({ staged_discarded: 0, packages_expired: 0 });
  });

  it("has views that the log accounts for, and gets them back from it", async () => {
    await using sandbox = await sandboxWithApp();
    expect(await sandbox.json("replay", "--check")).toMatchObject({
      rebuilt: false,
      differences: [],
    });
    const { DatabaseSync } = await import("node:sqlite");
    const database = new DatabaseSync(sandbox.path("data/store.db"));
    database.exec("DELETE FROM tags WHERE tag = 'next'");
    database.exec("UPDATE artifact_packages SET file_count = 99 WHERE version = '1.0.0'");
    database.close();
    const checked = await sandbox.store(["replay", "--check"]);
    expect(checked.exitCode).toBe(1);
    expect(checked.stdout).toContain("missing  tags  ");
    expect(checked.stdout).toMatch(/^changed {2}artifact_packages .+ \(file_count\)$/m);
    expect((await sandbox.ok("replay")).stdout).toContain("rebuilt");
    expect((await sandbox.ok("replay", "--check")).stdout).toContain("no difference");
    expect((await sandbox.ok("cat", "acme/app:next", "app")).stdout).toBe("2");
  });

  it("tells what migrate would do, and does nothing, with --check", async () => {
    await using sandbox = await sandboxWithApp();
    expect((await sandbox.ok("migrate", "--check")).stdout).toContain("already");
    const { DatabaseSync } = await import("node:sqlite");
    const database = new DatabaseSync(sandbox.path("data/store.db"));
    database.exec("DELETE FROM schema_migrations WHERE version = 4");
    database.close();
    const checked = await sandbox.store(["migrate", "--check"]);
    expect(checked.exitCode).toBe(1);
    expect(checked.stdout).toContain("pending  0004_placement_indexes  (servers go on)");
    expect((await sandbox.store(["migrate", "--check", "--fresh"])).exitCode).toBe(2);
    await using empty = await Sandbox.create();
    expect((await empty.store(["migrate", "--check"])).exitCode).toBe(3);
    await empty.write({ "data/store.db": "" });
    const first = await empty.store(["migrate", "--check"]);
    expect(first.exitCode).toBe(1);
    expect(first.stdout).toMatch(
      /^pending {2}0001_\w+\n[^]*store\.db is empty, \d+ to be applied\n$/,
    );
    expect(first.stdout).not.toContain("servers");
    const help = await sandbox.ok("migrate", "--help");
    expect(help.stdout).not.toContain("| ]");
  });

  it("begins anew with migrate --fresh --yes only", async () => {
    await using sandbox = await sandboxWithApp();
    expect((await sandbox.store(["migrate", "--fresh"])).exitCode).toBe(2);
    expect((await sandbox.ok("ls")).stdout).toContain("acme/app");
    await sandbox.ok("migrate", "--fresh", "--yes");
    expect(await sandbox.json("ls")).toEqual({ names: [] });
    await sandbox.ok("push", "one", "acme/app@1.0.0");
  });

  it("is chosen by --data, else by STORE_DATA; its database by STORE_DATABASE_URL", async () => {
    await using sandbox = await sandboxWithApp();
    await using postgres = await database();
    expect((await sandbox.ok("ls", "--data", "data")).stdout).toContain("acme/app");
    const env = { STORE_DATA: "other" };
    expect((await sandbox.store(["ls"], { env })).exitCode).toBe(3);
    expect((await sandbox.store(["ls", "--data", "data"], { env })).exitCode).toBe(0);

    const elsewhere = { ...env, STORE_DATABASE_URL: postgres.url, STORE_ACTOR: "ci" };
    const push = await sandbox.store(["push", "one", "acme/pg@1.0.0"], { env: elsewhere });
    expect(push).toMatchObject({ exitCode: 0, stderr: "" });
    const cat = await sandbox.store(["cat", "acme/pg", "app"], { env: elsewhere });
    expect(cat.stdout).toBe("1");
    const log = await sandbox.store(["log"], { env: elsewhere });
    expect(log.stdout).toContain("by ci");
    const check = await sandbox.store(["replay", "--check"], { env: elsewhere });
    expect(check.stdout).toContain("no difference");
  });
});

async function database(): Promise<{ url: string } & AsyncDisposable> {
  const { url, drop } = await createTestDatabase();
  return { url, [Symbol.asyncDispose]: drop };
}
