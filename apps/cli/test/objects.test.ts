import { once } from "node:events";
import { open, rm, truncate, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { describe, expect, it } from "vitest";

import { sandboxWithServer } from "./server.ts";
import { nameBackends, objectFiles } from "./several-backends.ts";
import { runBuiltStore, Sandbox } from "./store.ts";

runBuiltStore();

interface Progress {
  readonly objects: number;
  readonly total: number;
  readonly changed: number;
  readonly problem_count: number;
  readonly problems: readonly { readonly backend: string; readonly code: string }[];
  readonly done: boolean;
}

interface Located {
  readonly objects: readonly {
    readonly name: string;
    readonly content_address: string;
    readonly copies: readonly { readonly backend: string; readonly status: string }[];
  }[];
}

const files = { "tree/a": "a", "tree/b": "b".repeat(100_000), "tree/sub/a": "a" };

interface Backends extends AsyncDisposable {
  readonly sandbox: Sandbox;
  /** Where a backend of the instance lies. */
  folder(name: string): string;
}

const places = ["this machine", "a server"] as const;

/** An instance with three backends and the package acme/app@1.0.0. */
async function openBackends(place: (typeof places)[number]): Promise<Backends> {
  const storage = await Sandbox.create();
  await nameBackends(storage);
  const env = { STORE_STORAGE_FILE: storage.path("storage.json") };
  const { sandbox } = place === "a server" ? await sandboxWithServer(env) : { sandbox: storage };
  await sandbox.write(files);
  await sandbox.ok("push", "tree", "acme/app@1.0.0");
  return {
    sandbox,
    folder: (name) => storage.path(name),
    [Symbol.asyncDispose]: async () => {
      await sandbox[Symbol.asyncDispose]();
      await storage[Symbol.asyncDispose]();
    },
  };
}

async function addressOf(sandbox: Sandbox, reference: string): Promise<string> {
  const { objects } = await sandbox.json<Located>("objects", "locate", reference);
  return objects[0]?.content_address ?? "";
}

describe.each(places)("with an instance on %s", (place) => {
  it("copies what a backend lacks, and says where everything is", async () => {
    await using backends = await openBackends(place);
    const { sandbox } = backends;
    const { stdout } = await sandbox.ok("objects", "replicate", "--to", "mirror");
    expect(stdout).toBe("2 copies, 97.7 KiB, 2 copied: no problem\n");
    const again = await sandbox.ok("objects", "replicate", "--to", "mirror");
    expect(again.stdout).toContain("0 copied: no problem");
    const { objects } = await sandbox.json<Located>("objects", "locate", "acme/app");
    expect(objects.map(({ name }) => name)).toEqual(["acme/app@1.0.0 a", "acme/app@1.0.0 b"]);
    for (const { copies } of objects) {
      expect(copies).toMatchObject([
        { backend: "mirror", status: "ok", configured: true, tier: "hot" },
        { backend: "primary", status: "ok" },
      ]);
    }
    const [first] = objects;
    const one = await sandbox.json<Located>("objects", "locate", first?.content_address ?? "");
    expect(one.objects).toMatchObject([{ content_address: first?.content_address }]);
    const table = await sandbox.ok("objects", "locate", "acme/app", "sub/a");
    expect(table.stdout).toMatch(/^BACKEND +STATUS +TIER +STORED +SIZE +OBJECT\nmirror +ok +hot /);
    expect(table.stdout.trimEnd().split("\n")).toHaveLength(3);
  });

  it("names the copies that are damaged, and mends them", async () => {
    await using backends = await openBackends(place);
    const { sandbox } = backends;
    await sandbox.ok("objects", "replicate", "--to", "mirror");
    const [first = "", second = ""] = (await objectFiles(backends.folder("mirror"))).values();
    await rm(first);
    await truncate(second, 0);
    const found = await sandbox.store(["objects", "verify"]);
    expect(found.exitCode).toBe(6);
    expect(found.stdout.match(/^\w+ {2}mirror {2}blake3:[0-9a-f]{64} {2}/gm)).toHaveLength(2);
    expect(found.stdout).toMatch(/\n4 copies, .*: 2 problems\n$/);
    const { objects } = await sandbox.json<Located>("objects", "locate", "acme/app");
    const statuses = objects.map(({ copies }) => copies[0]?.status).toSorted();
    expect(statuses).toEqual(["corrupt", "missing"]);
    const damaged = { backends: [{ name: "mirror", damaged_count: 2 }, {}, {}] };
    expect(await sandbox.json("backends")).toMatchObject(damaged);
    const log = await sandbox.ok("log", "--type", "v1.object.damaged");
    expect(log.stdout).toMatch(/ object:blake3:\w+ {2}at mirror {2}(missing|corrupt) {2}by /);
    const mended = await sandbox.ok("objects", "replicate", "--to", "mirror");
    expect(mended.stdout).toContain("2 copied: no problem");
    const whole = await sandbox.ok("objects", "verify", "--backend", "mirror", "--restart");
    expect(whole.stdout).toMatch(/^2 copies, .*: no problem\n$/);
  });

  it("verifies the copies at the others while a backend is away", async () => {
    await using backends = await openBackends(place);
    const { sandbox } = backends;
    await sandbox.ok("objects", "replicate", "--to", "mirror");
    await rm(backends.folder("mirror"), { recursive: true });
    await writeFile(backends.folder("mirror"), "");
    const found = await sandbox.store(["objects", "verify"]);
    expect(found.stdout).toMatch(/^storage_unavailable {2}mirror {2}blake3:.* "mirror" does not /);
    expect(found.stdout).toMatch(/\n2 copies, 97\.7 KiB, 0 changed: 1 problem\n$/);
    expect(found.exitCode).toBe(1);
    const alone = await sandbox.store(["objects", "verify", "--backend", "mirror"]);
    expect(alone.exitCode).toBe(7);
  });

  it("empties a backend, and never the primary one", async () => {
    await using backends = await openBackends(place);
    const { sandbox } = backends;
    await sandbox.ok("objects", "replicate", "--to", "mirror");
    const { stdout } = await sandbox.ok("objects", "evacuate", "--from", "mirror");
    expect(stdout).toBe("2 copies, 97.7 KiB, 0 copied, 2 removed: no problem\n");
    expect(await objectFiles(backends.folder("mirror"))).toEqual(new Map());
    await sandbox.ok("verify", "acme/app");
    const refused = await sandbox.store(["objects", "evacuate", "--from", "primary"]);
    expect(refused.exitCode).toBe(2);
    expect(refused.stderr).toContain("primary");
  });

  it("tells how far it is line by line with --json", async () => {
    await using backends = await openBackends(place);
    const { sandbox } = backends;
    const { stdout } = await sandbox.ok("objects", "replicate", "--to", "mirror", "--json");
    const lines = stdout.trimEnd().split("\n");
    const last = JSON.parse(lines.at(-1) ?? "") as Progress;
    expect(last).toMatchObject({ objects: 2, total: 2, changed: 2, problem_count: 0, done: true });
    const [file = ""] = (await objectFiles(backends.folder("mirror"))).values();
    await rm(file);
    const verified = await sandbox.store(["objects", "verify", "--json"]);
    expect(verified.exitCode).toBe(6);
    const told = verified.stdout.trimEnd().split("\n");
    const problems = told.flatMap((line) => (JSON.parse(line) as Progress).problems);
    expect(problems).toMatchObject([{ backend: "mirror", code: "object_not_found" }]);
  });

  it("says which backends there are where another one is named", async () => {
    await using backends = await openBackends(place);
    const { sandbox } = backends;
    for (const words of [
      ["replicate", "--to", "mirrow"],
      ["replicate", "--to", "mirror", "--from", "mirrow"],
      ["verify", "--backend", "mirrow"],
      ["evacuate", "--from", "mirrow"],
      ["restore", "acme/app", "--days", "1", "--backend", "mirrow"],
    ]) {
      const { exitCode, stderr } = await sandbox.store(["objects", ...words]);
      expect(exitCode, words.join(" ")).toBe(2);
      expect(stderr).toMatch(/mirrow/);
      expect(stderr).toMatch(/mirror, primary, spare/);
    }
    expect(await sandbox.json("backends")).toMatchObject({
      backends: [
        { name: "mirror", use: "other", kind: "local", status: "ok" },
        { name: "primary", use: "primary" },
        { name: "spare", use: "other" },
      ],
    });
    expect((await sandbox.ok("backends")).stdout).toMatch(
      /^BACKEND +USE +KIND +DAMAGED +STATUS +SINCE +PLACE\nmirror +other +local +0 +ok +\/.*mirror\n/,
    );
    expect(await sandbox.json("backends")).toMatchObject({
      backends: [{ place: backends.folder("mirror"), healthy: true }, {}, {}],
    });
  });

  it("says of a backend that is away and that nobody has used that it fails", async () => {
    await using backends = await openBackends(place);
    const { sandbox } = backends;
    await rm(backends.folder("spare"), { recursive: true });
    await writeFile(backends.folder("spare"), "");
    const { stdout, stderr } = await sandbox.ok("backends");
    expect(stdout).toMatch(/\nspare +other +local +0 +fails +\/.*spare\n$/);
    expect(stderr).toMatch(/^warning: spare fails: .*storage root/);
    expect(await sandbox.json("backends")).toMatchObject({
      backends: [{}, {}, { name: "spare", status: "ok", healthy: false }],
    });
  });

  it("asks for what is in an archive, and leaves alone what can be read", async () => {
    await using backends = await openBackends(place);
    const { sandbox } = backends;
    const { stdout } = await sandbox.ok("objects", "restore", "acme/app@1.0.0", "--days", "3");
    expect(stdout).toBe("0 objects asked for, 2 can be read now\n");
    const absent = `blake3:${"0".repeat(64)}`;
    const refused = await sandbox.store(["objects", "restore", absent, "--days", "3"]);
    expect(refused.exitCode).toBe(3);
    expect(refused.stderr).toContain(absent);
    const long = await sandbox.store(["objects", "restore", absent, "--days", "366"]);
    expect(long.exitCode).toBe(2);
    const slow = ["objects", "restore", absent, "--days", "3", "--speed", "slow"];
    expect((await sandbox.store(slow)).exitCode).toBe(2);
  });

  it("does not call readable what no backend has whole", async () => {
    await using backends = await openBackends(place);
    const { sandbox } = backends;
    const [first = ""] = (await objectFiles(backends.folder("primary"))).values();
    await rm(first);
    expect((await sandbox.store(["objects", "verify"])).exitCode).toBe(6);
    const asked = await sandbox.store(["objects", "restore", "acme/app", "--days", "3"]);
    expect(asked.exitCode).toBe(6);
    expect(asked.stdout).toBe("0 objects asked for, 1 can be read now\n");
    expect(asked.stderr).toMatch(/acme\/app@1\.0\.0 \w+: No whole copy of blake3:/);
  });

  it("pulls from another copy what it finds damaged in the first on its way", async () => {
    await using backends = await openBackends(place);
    const { sandbox } = backends;
    await sandbox.write({ "large/file": new Uint8Array(8 * 2 ** 20).fill(1) });
    await sandbox.ok("push", "large", "acme/large@1.0.0");
    await sandbox.ok("objects", "replicate", "--to", "mirror");
    const digest = await addressOf(sandbox, "acme/large");
    const path = (await objectFiles(backends.folder("primary"))).get(digest.slice(7)) ?? "";
    await using file = await open(path, "r+");
    await file.write(new Uint8Array(1), 0, 1, 4 * 2 ** 20);
    await sandbox.ok("pull", "acme/large", "pulled");
    expect(await sandbox.json("objects", "locate", digest)).toMatchObject({
      objects: [{ copies: [{ backend: "mirror" }, { backend: "primary", status: "corrupt" }] }],
    });
  });

  it("refuses what is neither an object nor a package", async () => {
    await using backends = await openBackends(place);
    const { sandbox } = backends;
    for (const [words, exitCode] of [
      [["locate", "nonsense"], 2],
      [["locate", "blake3:12"], 2],
      [["locate", `blake3:${"0".repeat(64)}`, "path"], 2],
      [["locate", `blake3:${"0".repeat(64)}`], 3],
      [["locate", "acme/app", "none"], 3],
      [["locate", "acme/none"], 3],
      [["restore", "nonsense", "--days", "1"], 2],
    ] as const) {
      const answer = await sandbox.store(["objects", ...words]);
      expect(answer.exitCode, words.join(" ")).toBe(exitCode);
    }
    const { stderr } = await sandbox.store(["objects", "locate", `blake3:${"0".repeat(64)}`]);
    expect(stderr).toMatch(
      /^error: There is no object blake3:0+ here\.\nhint: Check the address; /,
    );
  });
});

it("says since when the work was done that it goes on with", async () => {
  await using sandbox = await Sandbox.create();
  const server = createServer((_, response) => {
    response.writeHead(200, { "content-type": "application/x-ndjson" });
    const counts = { objects: 1_234, changed: 1, copied: 0, removed: 0, skipped: 0, total: 1_234 };
    const facts = { size: 5, problem_count: 0, problems: [], resumed: true, done: true };
    const line = { ...counts, ...facts, started_at: "2026-11-21T08:00:00.000Z" };
    response.end(`${JSON.stringify(line)}\n`);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  sandbox.env.STORE_URL = `http://127.0.0.1:${port}`;
  const { stdout, stderr } = await sandbox.ok("objects", "verify");
  const json = await sandbox.ok("objects", "verify", "--json");
  server.close();
  const note = "Goes on with work begun 2026-11-21 08:00:00Z; --restart begins anew.\n";
  expect(stderr).toBe(note);
  expect(stdout).toContain("with what was done since 2026-11-21 08:00:00Z: no problem");
  expect(json.stderr).toBe("");
});

it("Ctrl-C ends a work at a server at once, and says how to go on", async () => {
  await using sandbox = await Sandbox.create();
  const { promise: left, resolve } = Promise.withResolvers<void>();
  const server = createServer((request, response) => {
    request.socket.on("close", () => resolve());
    response.writeHead(200, { "content-type": "application/x-ndjson" });
    const counts = { objects: 1_234, changed: 1, copied: 0, removed: 0, skipped: 0 };
    const progress = { ...counts, total: 10_001, size: 5 };
    const problems = { problem_count: 0, problems: [], resumed: false, done: false };
    response.write(`${JSON.stringify({ ...progress, ...problems })}\n`);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  sandbox.env.STORE_URL = `http://127.0.0.1:${port}`;
  const work = sandbox.start("objects", "verify", "--json");
  await once(work.child.stdout, "data");
  work.child.kill("SIGINT");
  const { exitCode, stderr, stdout } = await work.answer;
  await left;
  server.close();
  expect(exitCode).toBe(130);
  expect(stderr).toContain("Interrupted after 1,234 of 10,001 copies.");
  expect(stderr).toContain("The same command goes on from there");
  expect(JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "")).toMatchObject({
    error: { code: "aborted" },
  });
});
