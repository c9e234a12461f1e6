import { execFile, spawnSync } from "node:child_process";
import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { deflateRawSync } from "node:zlib";
import { account, proving, rounds } from "@store/testing/prove";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { archiveSizeBytes, createArchive } from "../src/index.ts";
import type { ArchiveEntry } from "../src/index.ts";
import { crc32 } from "../src/lib/crc32.ts";
import {
  centralHeader,
  dataDescriptor,
  endOfCentralDirectory,
  localHeader,
} from "../src/lib/zip-records.ts";
import { archiveOf, entryOf, formats, noise } from "./entries.ts";

const run = promisify(execFile);
const gibibyte = 2 ** 30;
const hasPython = spawnSync("python3", ["--version"]).status === 0;
const hasUnzip = spawnSync("unzip", ["-v"]).status === 0;
const hasTar = spawnSync("tar", ["--version"]).status === 0;
let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "store-archive-large-"));
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** An entry that gives `chunk` again and again. */
function repeated(path: string, sizeBytes: number, chunk: Uint8Array): ArchiveEntry {
  return {
    path,
    sizeBytes,
    executable: false,
    async *open() {
      for (let rest = sizeBytes; rest > 0; rest -= chunk.length) yield chunk.subarray(0, rest);
    },
  };
}

/** Writes an archive to a file, and gives its size. */
async function writeArchive(file: string, archive: AsyncIterable<Uint8Array>): Promise<number> {
  const handle = await open(file, "w");
  try {
    let sizeBytes = 0;
    for await (const chunk of archive) {
      await handle.writeFile(chunk);
      sizeBytes += chunk.length;
    }
    return sizeBytes;
  } finally {
    await handle.close();
  }
}

/** Writes pieces at their places, with holes in between, which take no room on disk. */
async function writeSparse(file: string, pieces: readonly [number, Uint8Array][]): Promise<void> {
  const handle = await open(file, "w");
  try {
    for (const [position, bytes] of pieces) await handle.write(bytes, 0, bytes.length, position);
  } finally {
    await handle.close();
  }
}

async function python(script: string, ...args: string[]): Promise<unknown> {
  return JSON.parse((await run("python3", ["-c", script, ...args])).stdout);
}

describe("a tar", () => {
  test.for([8 * gibibyte - 1, 8 * gibibyte, 1024 * gibibyte])(
    "says a size of %d bytes so that readers find what comes after",
    async (sizeBytes, context) => {
      if (!hasPython || !hasTar) context.skip("python3 and tar are not both there");
      const entry = repeated("large", sizeBytes, new Uint8Array(64 * 1024));
      let header: Uint8Array | undefined;
      for await (const chunk of createArchive("tar", [entry])) {
        header = chunk;
        break;
      }
      expect(header?.length).toBe(sizeBytes < 8 * gibibyte ? 512 : 1536);

      const after = await archiveOf("tar", [entryOf("small", "after it")]);
      const total = archiveSizeBytes("tar", [entry, entryOf("small", "after it")]) ?? 0;
      const file = join(folder, "large.tar");
      await writeSparse(file, [
        [0, header ?? new Uint8Array(0)],
        [total - after.length, after],
      ]);
      const script = `import json, sys, tarfile
archive = tarfile.open(sys.argv[1])
print(json.dumps([[info.name, info.size] for info in archive]))`;
      expect(await python(script, file)).toEqual([
        ["large", sizeBytes],
        ["small", 8],
      ]);
      const { stdout } = await run("tar", ["-tvf", file]);
      expect(stdout.split("\n").map((line) => line.split(/\s+/u)[2])).toEqual([
        String(sizeBytes),
        "8",
        undefined,
      ]);
      expect((await run("tar", ["-xOf", file, "small"])).stdout).toBe("after it");
    },
  );
});

describe("a zip", () => {
  test("that is larger than 4 GiB can be read beyond that", async (context) => {
    if (!hasPython || !hasUnzip) context.skip("python3 and unzip are not both there");
    const content = new TextEncoder().encode("beyond four gibibytes");
    const name = new TextEncoder().encode("far.txt");
    const compressed = deflateRawSync(content);
    const facts = {
      name,
      mode: 0o644,
      crc: crc32(content),
      compressedBytes: compressed.length,
      sizeBytes: content.length,
      offset: 5 * gibibyte,
    };
    const local = Buffer.concat([
      localHeader(name, content.length),
      compressed,
      dataDescriptor(facts),
    ]);
    const central = centralHeader(facts);
    const directory = {
      entries: 1,
      sizeBytes: central.length,
      offset: facts.offset + local.length,
    };
    const file = join(folder, "far.zip");
    const end = Buffer.concat([local, central, endOfCentralDirectory(directory)]);
    await writeSparse(file, [[facts.offset, end]]);
    const script = `import json, sys, zipfile
archive = zipfile.ZipFile(sys.argv[1])
print(json.dumps([archive.read(info).decode() for info in archive.infolist()]))`;
    expect(await python(script, file)).toEqual(["beyond four gibibytes"]);
    expect((await run("unzip", ["-p", file])).stdout).toBe("beyond four gibibytes");
  });

  test("names the 64-bit sizes of an entry in every record, just where 32 do not do", () => {
    const name = new TextEncoder().encode("n");
    const facts = { name, mode: 0o644, crc: 1, compressedBytes: 5, sizeBytes: 0, offset: 0 };
    for (const [sizeBytes, extra] of [
      [2 ** 32 - 5 * 2 ** 20, 0],
      [2 ** 32 - 2, 16],
      [2 ** 32, 16],
      [2 ** 40, 16],
    ] as const) {
      const local = Buffer.from(localHeader(name, sizeBytes));
      const central = Buffer.from(centralHeader({ ...facts, sizeBytes }));
      const descriptor = Buffer.from(dataDescriptor({ ...facts, sizeBytes }));
      expect(local.readUInt16LE(4)).toBe(extra === 0 ? 20 : 45);
      expect(local.readUInt16LE(28)).toBe(extra === 0 ? 0 : 4 + extra);
      expect(central.readUInt16LE(30)).toBe(extra === 0 ? 0 : 4 + extra);
      expect(descriptor.length).toBe(extra === 0 ? 16 : 24);
      const size = extra === 0 ? central.readUInt32LE(24) : central.readBigUInt64LE(47 + 4);
      expect(Number(size)).toBe(sizeBytes);
    }
  });

  test.for([
    [65_534, 22],
    [65_535, 98],
    [65_536, 98],
  ])("of %d files ends with records of %d bytes", ([entries = 0, sizeBytes]) => {
    const directory = { entries, sizeBytes: 46 * entries, offset: 0 };
    expect(endOfCentralDirectory(directory).length).toBe(sizeBytes);
  });

  test.for([65_534, 65_535, 65_536])("of %d files is read whole", async (count, context) => {
    if (!hasPython || !hasUnzip) context.skip("python3 and unzip are not both there");
    const file = join(folder, "many.zip");
    const entries = Array.from({ length: count }, (_, index) => entryOf(`${index}`, ""));
    await writeFile(file, await archiveOf("zip", entries));
    const script = `import json, sys, zipfile
print(json.dumps(len(zipfile.ZipFile(sys.argv[1]).namelist())))`;
    expect(await python(script, file)).toBe(count);
    const { stdout } = await run("unzip", ["-Z", "-h", file]);
    expect(stdout).toContain(`number of entries: ${count}`);
  });

  test.runIf(proving)(
    "of a file of 5 GiB and one after it is extracted",
    { timeout: 600_000 },
    async () => {
      const file = join(folder, "whole.zip");
      const entries = [
        repeated("a-noise", 5 * gibibyte, noise(2 ** 20 * 3)),
        repeated("b-zeros", 5 * gibibyte, new Uint8Array(2 ** 20)),
        entryOf("c-small", "after it"),
      ];
      const start = performance.now();
      const sizeBytes = await writeArchive(file, createArchive("zip", entries));
      const seconds = Math.round((performance.now() - start) / 1000);
      const script = `import json, sys, zipfile
archive = zipfile.ZipFile(sys.argv[1])
print(json.dumps([archive.testzip(), [info.file_size for info in archive.infolist()]]))`;
      expect(await python(script, file)).toEqual([null, [5 * gibibyte, 5 * gibibyte, 8]]);
      const { stdout } = await run("unzip", ["-tq", file]);
      expect(stdout).toContain("No errors detected");
      account("a zip of 10 GiB, read by Python and unzip", { sizeBytes, seconds });
    },
  );

  test.runIf(proving)(
    "and a tar of more than 8 GiB is extracted",
    { timeout: 600_000 },
    async () => {
      const file = join(folder, "whole.tar.gz");
      const entries = [
        repeated("a-zeros", 9 * gibibyte, new Uint8Array(2 ** 20)),
        entryOf("b-small", "after it"),
      ];
      const sizeBytes = await writeArchive(file, createArchive("tar.gz", entries));
      expect((await run("tar", ["-xzOf", file, "b-small"])).stdout).toBe("after it");
      account("a tar.gz of 9 GiB, read by tar", { sizeBytes });
    },
  );
});

interface Peak {
  readonly archiveBytes: number;
  readonly peakMiB: number;
  readonly megabytesPerSecond: number;
  readonly longestHoldMs: number;
}

describe.each(formats)("the memory for a %s", (format) => {
  const peakOf = async (entries: number, sizeBytes: number): Promise<Peak> => {
    const program = join(import.meta.dirname, "programs/peak-memory.ts");
    const args = [program, format, String(entries), String(sizeBytes)];
    return JSON.parse((await run(process.execPath, args)).stdout) as Peak;
  };

  test("stays small for 100,000 files", { timeout: 120_000 }, async () => {
    const peak = await peakOf(100_000, 100);
    expect(peak.peakMiB).toBeLessThan(300);
    account(`${format} of 100,000 files of 100 bytes`, { ...peak });
  });

  test("stays small for a file of any size", { timeout: 120_000 }, async () => {
    const peak = await peakOf(1, rounds(40) * 50_000_000);
    expect(peak.peakMiB).toBeLessThan(150);
    account(`${format} of one large file`, { ...peak });
  });
});
