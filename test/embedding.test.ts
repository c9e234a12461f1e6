import { execFile } from "node:child_process";
import { cp, mkdtemp, realpath, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { installPacked, packWorkspace } from "@store/testing/packed";

const workspace = join(import.meta.dirname, "..");
const setUpTimeoutMs = 600_000;
let folder: string;
let project: string;

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "store-embedding-")));
  project = join(folder, "project");
  const tarballs = await packWorkspace(join(folder, "tarballs"));
  await cp(join(workspace, "examples/embedded"), project, { recursive: true });
  await installPacked(project, tarballs);
}, setUpTimeoutMs);

afterAll(() => rm(folder, { recursive: true, force: true }));

async function output(...args: string[]): Promise<string[]> {
  const options = { cwd: project, env: { ...process.env, NODE_OPTIONS: "" } };
  const { stdout } = await promisify(execFile)(process.execPath, args, options);
  return stdout.trimEnd().split("\n");
}

test("a project of its own installs the packed packages and uses them without a server", async () => {
  const address = /blake3:[0-9a-f]{64}/u.source;
  expect(await output("index.ts")).toEqual([
    expect.stringMatching(`^stored src/index\\.ts, ${address}$`),
    expect.stringMatching(`^stored src/package\\.json, ${address}$`),
    expect.stringMatching(`^finalized acme/embedded@1\\.0\\.0, ${address}$`),
    expect.stringMatching(/^read (\d+) of \1 bytes of acme\/embedded:stable$/u),
    "verified acme/embedded@1.0.0: 0 problems",
    expect.stringMatching(/^verified the log: \d+ events$/u),
    "refused: package_exists",
    ...["package.created", "file.added", "file.added", "package.finalized", "tag.set"].map((type) =>
      expect.stringMatching(`^event \\d+ v1\\.${type.replace(".", "\\.")} acme/embedded`),
    ),
  ]);
  // A second process opens what the first has left.
  const again = await output("index.ts");
  expect(again[0]).toMatch(/^knew src\/index\.ts/u);
  expect(again).toContain("verified acme/embedded@1.1.0: 0 problems");
});

test("the packed data plane hashes on a thread of its own", async () => {
  const program = `
    import { ingestStream } from "@store/storage";
    import { createMemoryBackend } from "@store/storage/memory";
    process.on("worker", (worker) => worker.once("message", (first) => console.log(first)));
    async function* source() {
      for (let index = 0; index < 4; index++) yield new Uint8Array(1024 * 1024);
    }
    const options = { lease: "test", admit: async () => "write" };
    const { digest } = await ingestStream(createMemoryBackend(), source(), options);
    console.log(digest.sizeBytes);`;
  expect(await output("--input-type=module", "--eval", program)).toEqual(["ready", "4194304"]);
});

test("the packed declarations are all that the project's types need", async () => {
  const require = createRequire(join(workspace, "package.json"));
  const compiler = join(require.resolve("typescript/package.json"), "../bin/tsc");
  const types = dirname(dirname(require.resolve("@types/node/package.json")));
  expect(await output(compiler, "--typeRoots", types)).toEqual([""]);
});
