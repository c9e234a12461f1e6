import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { glob, writeFile } from "node:fs/promises";

import { startS3Double } from "@store/testing/s3-double";
import { createTestDatabase } from "@store/testing/postgres";
import { describe, expect, it } from "vitest";

import { eventually } from "./instance.ts";
import { startServer, withPassword } from "./server.ts";
import { runBuiltStore, Sandbox, source } from "./store.ts";

runBuiltStore();

interface ReportJson {
  readonly size: number;
  readonly root: string;
  readonly events: number;
  readonly objects: number;
  readonly operational_rows: number;
  readonly problem_count: number;
  readonly problems: readonly { readonly address: string; readonly code: string }[];
  readonly verification?: { readonly differences: object; readonly mended: number };
}

/** A sandbox with packages in `data`, one of them with a file too large for one request to S3. */
async function sandboxWithPackages(): Promise<Sandbox> {
  const sandbox = await Sandbox.create();
  await sandbox.write({
    "small/one": "1",
    "small/two": "2",
    "large/file": randomBytes(20 * 1024 * 1024),
  });
  await sandbox.ok("push", "small", "acme/app@1.0.0", "--tag", "stable");
  await sandbox.ok("push", "large", "acme/app@2.0.0");
  return sandbox;
}

/** The settings of a file in the form of `.env`. */
const fileOf = (settings: Readonly<Record<string, string>>): string =>
  Object.entries(settings)
    .map(([name, value]) => `${name}="${value}"\n`)
    .join("");

async function damageOneObject(sandbox: Sandbox): Promise<void> {
  const { stdout } = await sandbox.ok("show", "acme/app@1.0.0", "--files", "--json");
  const [, hex = ""] = /blake3:([0-9a-f]{64})/.exec(stdout.slice(stdout.indexOf('"files"'))) ?? [];
  const pattern = `data/objects/blake3/*/*/${hex}`;
  for await (const path of glob(pattern, { cwd: sandbox.folder })) {
    await writeFile(sandbox.path(path), "x");
    return;
  }
  throw new Error(`There is no object ${hex}.`);
}

describe("store instance copy", () => {
  it("moves an instance to PostgreSQL and S3, and back to SQLite and this disk", async () => {
    await using sandbox = await sandboxWithPackages();
    const double = await startS3Double();
    const schema = await createTestDatabase();
    const { accessKeyId, secretAccessKey } = double.credentials;
    await sandbox.write({
      "storage.json": JSON.stringify({
        backends: {
          primary: {
            kind: "s3",
            bucket: double.bucket,
            prefix: "moved",
            region: double.region,
            endpoint: double.endpoint,
            path_style: true,
            credentials: { access_key_id: accessKeyId, secret_access_key: secretAccessKey },
          },
        },
      }),
    });
    const settings = {
      STORE_DATABASE_URL: schema.url,
      STORE_STORAGE_FILE: sandbox.path("storage.json"),
    };
    await sandbox.write({ "new.env": fileOf(settings) });
    await withPassword(sandbox, ["user", "create", "ada"]);
    const creating = ["token", "create", "ci", "--owner", "ada"];
    const made = await sandbox.json<{ token: string }>(...creating);

    // What the environment says must count for neither side.
    sandbox.env.STORE_DATABASE_URL = "sqlite:elsewhere.db";
    const first = await sandbox.json<ReportJson>("instance", "copy", "data", "new.env");
    expect(first).toMatchObject({ objects: 3, problem_count: 0, events: first.size });
    expect(first.operational_rows).toBeGreaterThan(1);
    const again = await sandbox.ok("instance", "copy", "data", "new.env");
    expect(again.stdout).toContain("nothing is new");
    expect(again.stdout).toContain(first.root);
    expect(again.stdout + again.stderr).not.toContain("secret");

    Object.assign(sandbox.env, settings);
    expect((await sandbox.ok("cat", "acme/app:stable", "two")).stdout).toBe("2");
    expect((await sandbox.store(["verify", "--all"])).exitCode).toBe(0);
    expect((await sandbox.store(["replay", "--check"])).exitCode).toBe(0);
    const server = await startServer(sandbox, ["--json"]);
    const env = { STORE_URL: server.url, STORE_TOKEN: made.token };
    const whoami = await sandbox.store(["whoami", "--json"], { env });
    expect(JSON.parse(whoami.stdout)).toMatchObject({ username: "ada" });
    server.child.kill("SIGTERM");
    await server.answer;
    for (const name of Object.keys(settings)) delete sandbox.env[name];

    const back = ["instance", "copy", "new.env", "back", "--verify"];
    const returned = await sandbox.json<ReportJson>(...back);
    expect(returned).toMatchObject({ objects: 3, problem_count: 0 });
    expect(returned.verification).toMatchObject({ differences: {}, mended: 0 });
    expect((await sandbox.store(["replay", "--check", "--data", "back"])).exitCode).toBe(0);
    expect((await sandbox.store(["verify", "--all", "--data", "back"])).exitCode).toBe(0);
    await double.close();
    await schema.drop();
  });

  it("names what the source has lost, and copies all else", async () => {
    await using sandbox = await sandboxWithPackages();
    await damageOneObject(sandbox);
    const answer = await sandbox.store(["instance", "copy", "data", "copy"]);
    expect(answer.exitCode).toBe(6);
    expect(answer.stdout).toMatch(/object_corrupt {2}primary {2}blake3:[0-9a-f]{64}/);
    expect(answer.stdout).toContain("2 objects (20.0 MiB): 1 object missing");
    const { stdout } = await sandbox.store(["instance", "copy", "data", "copy", "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({
      events: 0,
      problem_count: 1,
      problems: [{ code: "object_corrupt", backend: "primary" }],
    });
    expect(
      (await sandbox.store(["cat", "acme/app@2.0.0", "file", "--data", "copy"])).exitCode,
    ).toBe(0);
  });

  it("says what is wrong with what it is given", async () => {
    await using sandbox = await sandboxWithPackages();
    await sandbox.write({ "empty.env": "STORE_PORT=1\n", "large.bin": new Uint8Array(2 ** 21) });
    await sandbox.ok("push", "small", "acme/app@1.0.0", "--data", "another");
    const refused = async (from: string, to: string): Promise<[number | null, string]> => {
      const { exitCode, stderr } = await sandbox.store(["instance", "copy", from, to]);
      return [exitCode, stderr];
    };
    expect(await refused("data", "another")).toEqual([4, expect.stringContaining("its own")]);
    expect(await refused("data", "data")).toEqual([2, expect.stringContaining("same database")]);
    expect(await refused("none", "copy")).toEqual([3, expect.stringContaining("no instance")]);
    const url = await refused("data", "postgres://store:sesame@127.0.0.1:1/store");
    expect(url).toEqual([2, expect.stringContaining("postgres://…")]);
    expect(url[1]).not.toContain("sesame");
    expect(await refused("none.env", "copy")).toEqual([2, expect.stringContaining("no file")]);
    expect(await refused("data", "empty.env")).toEqual([2, expect.stringContaining("sets none")]);
    expect(await refused("large.bin", "copy")).toEqual([2, expect.stringContaining("sets none")]);
    expect(await refused("data/store.db", "copy")).toEqual([
      2,
      expect.stringContaining("sets none"),
    ]);
    expect((await sandbox.store(["show", "acme/app@1.0.0", "--data", "copy"])).exitCode).toBe(3);
  });

  it("goes on after Ctrl-C", async () => {
    await using sandbox = await sandboxWithPackages();
    const copying = sandbox.start("instance", "copy", "data", "copy", "--concurrency", "1");
    const begun = async () => (await Array.fromAsync(glob("copy/objects/*", { cwd }))).length > 0;
    const cwd = sandbox.folder;
    await eventually(begun);
    copying.child.kill("SIGINT");
    const { exitCode, stderr } = await copying.answer;
    // It may have come to its end before.
    if (exitCode !== 0) {
      expect(exitCode).toBe(130);
      expect(stderr).toContain("goes on from there");
    }
    expect(await sandbox.json("instance", "copy", "data", "copy", "--verify")).toMatchObject({
      problem_count: 0,
      verification: { differences: {} },
    });
    const staged = await Array.fromAsync(glob("copy/objects/staging/*", { cwd }));
    expect(staged).toEqual([]);
  });
});

/** How this user can mount a small disk in a mount namespace of its own, or undefined. */
const unshare = [["--mount"], ["--map-root-user", "--mount"]].find(
  (args) => spawnSync("unshare", [...args, "mount", "-t", "tmpfs", "x", "/mnt"]).status === 0,
);

const script = `
mount -t tmpfs -o size=16m tmpfs disk
store() { "$NODE" "$STORE" "$@" > out.txt 2> err.txt; echo "$?"; }
store instance copy data disk/copy
cat err.txt >&2
mount -o remount,size=64m disk
store instance copy data disk/copy
store verify --all --data disk/copy
ls disk/copy/objects/staging | wc -l
`;

describe("a target whose disk is full", () => {
  it.skipIf(unshare === undefined)("is gone on with when there is room", async () => {
    await using sandbox = await sandboxWithPackages();
    await sandbox.write({ "disk/.keep": "" });
    const { stdout, stderr } = spawnSync("unshare", [...(unshare ?? []), "sh", "-c", script], {
      cwd: sandbox.folder,
      env: { PATH: process.env.PATH, NODE: process.execPath, STORE: source },
      encoding: "utf8",
    });
    expect(stdout.split("\n").map((line) => line.trim())).toEqual(["7", "0", "0", "0", ""]);
    expect(stderr).toContain("the same command goes on from where it was");
  });
});
