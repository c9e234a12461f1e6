import { execFileSync, spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { buffer } from "node:stream/consumers";
import { gunzipSync } from "node:zlib";
import { assertFilePath, findPathConflict } from "@store/identity";
import { rounds } from "@store/testing/prove";
import fc from "fast-check";
import { extract } from "tar-stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { archiveOf, contentOf, entryOf, sha256 } from "./entries.ts";

/** An entry as an extractor shows it. */
interface Found {
  readonly path: string;
  readonly mode: number;
  readonly modified: number;
  readonly sha256: string;
}

interface Sample {
  readonly path: string;
  readonly executable: boolean;
  readonly content: Uint8Array;
}

const modified = Date.UTC(1980, 1, 1) / 1000;
const environment = { ...process.env, LC_ALL: "C.UTF-8", TZ: "UTC" };
let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "store-archive-"));
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

const segment = fc.oneof(
  fc.stringMatching(/^[a-z0-9._ +-]{1,12}$/),
  fc.string({ unit: "grapheme", minLength: 1, maxLength: 10 }),
  fc.string({ unit: "binary", minLength: 1, maxLength: 6 }),
  fc.integer({ min: 1, max: 255 }).map((length) => "s".repeat(length)),
  fc.integer({ min: 1, max: 127 }).map((length) => "é".repeat(length)),
);
const path = fc
  .array(segment, { minLength: 1, maxLength: 6 })
  .map((segments) => segments.join("/"))
  .filter(isFilePath);
const content = fc.oneof(
  { weight: 4, arbitrary: fc.uint8Array({ maxLength: 2000 }) },
  fc.integer({ min: 0, max: 300_000 }).map((noiseBytes) => contentOf({ noiseBytes })),
  fc.integer({ min: 0, max: 30_000 }).map((times) => contentOf({ text: "tick tock ", times })),
);
const samples: fc.Arbitrary<Sample[]> = fc
  .uniqueArray(fc.record({ path, executable: fc.boolean(), content }), {
    minLength: 1,
    maxLength: 12,
    selector: (sample) => sample.path,
  })
  .filter((list) => findPathConflict(list.map((sample) => sample.path)) === undefined);

const readers = [
  { name: "Python's tarfile, tar", format: "tar", program: "python3", read: readByPython },
  { name: "Python's tarfile, tar.gz", format: "tar.gz", program: "python3", read: readByPython },
  { name: "Python's zipfile", format: "zip", program: "python3", read: readByPython },
  { name: "tar-stream, tar", format: "tar", program: undefined, read: readByTarStream },
  { name: "tar-stream, tar.gz", format: "tar.gz", program: undefined, read: readByTarStream },
  { name: "tar", format: "tar", program: "tar", read: extractTo(["tar", "-xpf"]) },
  { name: "tar with gzip", format: "tar.gz", program: "tar", read: extractTo(["tar", "-xzpf"]) },
  { name: "bsdtar, zip", format: "zip", program: "bsdtar", read: extractTo(["bsdtar", "-xpf"]) },
  { name: "bsdtar, tar", format: "tar", program: "bsdtar", read: extractTo(["bsdtar", "-xpf"]) },
  { name: "unzip", format: "zip", program: "unzip", read: extractTo(["unzip", "-q"]) },
] as const;

describe.each(readers)("$name", ({ format, program, read }) => {
  test("gives back exactly what went in", { timeout: 120_000 }, async (context) => {
    if (program !== undefined && !isInstalled(program)) context.skip(`${program} is not there`);
    await fc.assert(
      fc.asyncProperty(samples, async (list) => {
        const archive = await archiveOf(
          format,
          list.map(({ path, content, executable }) => entryOf(path, content, { executable })),
        );
        const expected = list.map(({ path, executable, content }) => ({
          path,
          mode: executable ? 0o755 : 0o644,
          modified,
          sha256: sha256(content),
        }));
        expect(inOrder(await read(archive, format))).toEqual(inOrder(expected));
      }),
      { numRuns: rounds(120) },
    );
  });
});

async function readByPython(archive: Buffer, format: string): Promise<Found[]> {
  const file = join(folder, "archive");
  await writeFile(file, archive);
  const program = join(import.meta.dirname, "programs/read-archive.py");
  return JSON.parse(execFileSync("python3", [program, format, file]).toString()) as Found[];
}

async function readByTarStream(archive: Buffer, format: string): Promise<Found[]> {
  const found: Found[] = [];
  const reader = extract();
  reader.end(format === "tar.gz" ? gunzipSync(archive) : archive);
  for await (const entry of reader) {
    const { name, mode, mtime } = entry.header;
    const content = await buffer(entry);
    found.push({ path: name, mode, modified: mtime.getTime() / 1000, sha256: sha256(content) });
  }
  return found;
}

/** Runs an extractor in an empty folder, and looks what is in it then. */
function extractTo(command: readonly [string, ...string[]]): typeof readByPython {
  return async (archive) => {
    const place = join(folder, "extracted");
    const file = join(folder, "archive");
    await mkdir(place);
    try {
      await writeFile(file, archive);
      const [program, ...options] = command;
      const run = spawnSync(program, [...options, file], { cwd: place, env: environment });
      expect([run.status, String(run.stderr)]).toEqual([0, ""]);
      const names = await readdir(place, { recursive: true, withFileTypes: true });
      const files = names.filter((name) => name.isFile());
      return await Promise.all(
        files.map(async (found) => {
          const at = join(found.parentPath, found.name);
          const { mode, mtimeMs } = await stat(at);
          return {
            path: relative(place, at),
            mode: mode & 0o7777,
            modified: mtimeMs / 1000,
            sha256: sha256(await readFile(at)),
          };
        }),
      );
    } finally {
      await rm(place, { recursive: true });
    }
  };
}

function isInstalled(program: string): boolean {
  return spawnSync("which", [program]).status === 0;
}

function isFilePath(text: string): boolean {
  try {
    assertFilePath(text);
    return true;
  } catch {
    return false;
  }
}

function inOrder(found: readonly Found[]): Found[] {
  return found.toSorted((left, right) => (left.path < right.path ? -1 : 1));
}
