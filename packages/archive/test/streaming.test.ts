import { setImmediate as nextTurn } from "node:timers/promises";
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { archiveMediaTypes, archiveSizeBytes, createArchive } from "../src/index.ts";
import type { ArchiveEntry, ArchiveFormat } from "../src/index.ts";
import { archiveOf, contentOf, entryOf, formats, noise } from "./entries.ts";

const mebibyte = new Uint8Array(1024 * 1024).fill(0x61);

/** What became of a source. */
interface Watched {
  opened: number;
  chunks: number;
  closed: number;
}

/** Entries without end, of 64 MiB each, and what is done with them. */
function endless(): { entries: AsyncIterable<ArchiveEntry>; list: Watched; content: Watched } {
  const list: Watched = { opened: 0, chunks: 0, closed: 0 };
  const content: Watched = { opened: 0, chunks: 0, closed: 0 };
  async function* open(): AsyncGenerator<Uint8Array, void, undefined> {
    content.opened += 1;
    try {
      for (let index = 0; index < 64; index += 1) {
        content.chunks += 1;
        yield mebibyte;
      }
    } finally {
      content.closed += 1;
    }
  }
  async function* entries(): AsyncGenerator<ArchiveEntry, void, undefined> {
    list.opened += 1;
    try {
      for (;;) {
        list.chunks += 1;
        const path = `file-${list.chunks}`;
        yield { path, sizeBytes: 64 * mebibyte.length, executable: false, open };
      }
    } finally {
      list.closed += 1;
    }
  }
  return { entries: entries(), list, content };
}

/** An entry whose source delivers what it is told, whatever the size says. */
function sourceOf(sizeBytes: number, open: ArchiveEntry["open"]): ArchiveEntry {
  return { path: "folder/file", sizeBytes, executable: false, open };
}

async function drain(archive: AsyncIterable<Uint8Array>): Promise<number> {
  let sizeBytes = 0;
  for await (const chunk of archive) sizeBytes += chunk.length;
  return sizeBytes;
}

describe.each(formats)("%s", (format) => {
  test("reads nothing before the first chunk is asked for", async () => {
    const { entries, list } = endless();
    createArchive(format, entries);
    await nextTurn();
    expect(list.opened).toBe(0);
  });

  test("reads no further than the reader has come", async () => {
    const { entries, content } = endless();
    let receivedBytes = 0;
    for await (const chunk of createArchive(format, entries)) {
      receivedBytes += chunk.length;
      const readBefore = content.chunks;
      for (let turn = 0; turn < 5; turn += 1) await nextTurn();
      expect(content.chunks).toBe(readBefore);
      if (format === "tar") expect(content.chunks - receivedBytes / 2 ** 20).toBeLessThan(2);
      if (content.chunks > 100) break;
    }
  });

  test("frees the source and the list when the reader leaves early", async () => {
    const { entries, list, content } = endless();
    // One letter compresses to nearly nothing: many files pass before the first chunk.
    for await (const _ of createArchive(format, entries)) break;
    expect(list.closed).toBe(1);
    expect(content.opened).toBeGreaterThan(0);
    expect(content.closed).toBe(content.opened);
  });

  test("passes on what a source throws, and frees the list", async () => {
    const failure = new Error("the disk is gone");
    let freed = false;
    function* entries(): Generator<ArchiveEntry, void, undefined> {
      try {
        yield entryOf("before", "content");
        yield sourceOf(2000, async function* () {
          yield new Uint8Array(1000);
          throw failure;
        });
      } finally {
        freed = true;
      }
    }
    await expect(drain(createArchive(format, entries()))).rejects.toBe(failure);
    expect(freed).toBe(true);
  });

  test("passes on what the list of entries throws", async () => {
    const failure = new Error("the database is gone");
    async function* entries(): AsyncGenerator<ArchiveEntry, void, undefined> {
      yield entryOf("before", "content");
      throw failure;
    }
    await expect(drain(createArchive(format, entries()))).rejects.toBe(failure);
  });

  test.each([
    { delivered: [], sizeBytes: 1, actual: 0 },
    { delivered: [1000, 999], sizeBytes: 2000, actual: 1999 },
    { delivered: [1000, 1001], sizeBytes: 2000, actual: 2001 },
    { delivered: [1], sizeBytes: 0, actual: 1 },
    { delivered: [3_000_000], sizeBytes: 2_999_999, actual: 3_000_000 },
  ])("refuses $delivered bytes for a size of $sizeBytes", async (wrong) => {
    const { delivered, sizeBytes, actual } = wrong;
    let freed = false;
    const entry = sourceOf(sizeBytes, async function* () {
      try {
        for (const length of delivered) yield new Uint8Array(length);
      } finally {
        freed = true;
      }
    });
    const reading = drain(createArchive(format, [entry, entryOf("z", "never read")]));
    await expect(reading).rejects.toMatchObject({
      code: "size_mismatch",
      context: { path: "folder/file", expected: sizeBytes, actual },
    });
    expect(freed).toBe(true);
  });

  test.each(["../outside", "/etc/passwd", "a/../../b", "a\\b", "C:/x", "", "a//b", "nul"])(
    "refuses the path %j",
    async (path) => {
      const reading = drain(createArchive(format, [entryOf(path, "")]));
      await expect(reading).rejects.toMatchObject({ code: "invalid_path" });
    },
  );

  test.each([-1, 0.5, Number.NaN, 2 ** 53])("refuses the size %d", async (sizeBytes) => {
    const entry = sourceOf(sizeBytes, async function* () {});
    const reading = drain(createArchive(format, [entry]));
    await expect(reading).rejects.toMatchObject({ code: "invalid_argument" });
  });

  test("refuses a chunk that is no bytes", async () => {
    const text = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
      yield "text" as unknown as Uint8Array;
    };
    const reading = drain(createArchive(format, [sourceOf(4, text)]));
    await expect(reading).rejects.toMatchObject({ code: "invalid_argument" });
  });

  test("ends at once when its signal fires, though a source never answers", async () => {
    const controller = new AbortController();
    let freed = 0;
    const silent: ArchiveEntry["open"] = () => ({
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise<never>(() => undefined),
        return: async () => {
          freed += 1;
          return new Promise<never>(() => undefined);
        },
      }),
    });
    const { signal } = controller;
    const reading = drain(createArchive(format, [sourceOf(1, silent)], { signal }));
    setImmediate(() => controller.abort(new Error("the client left")));
    await expect(reading).rejects.toMatchObject({
      code: "aborted",
      cause: { message: "the client left" },
    });
    expect(freed).toBe(1);
  });

  test("opens nothing once its signal has fired", async () => {
    const { entries, list } = endless();
    const signal = AbortSignal.abort();
    await expect(drain(createArchive(format, entries, { signal }))).rejects.toMatchObject({
      code: "aborted",
    });
    expect(list.opened).toBe(0);
  });

  test("stops between chunks when its signal fires", async () => {
    const { entries, list, content } = endless();
    const controller = new AbortController();
    const { signal } = controller;
    const reading = async (): Promise<void> => {
      for await (const _ of createArchive(format, entries, { signal })) controller.abort();
    };
    await expect(reading()).rejects.toMatchObject({ code: "aborted" });
    expect([list.closed, content.closed]).toEqual([1, content.opened]);
  });

  test("lets the event loop turn, though its sources never wait for anything", async () => {
    let turns = 0;
    const timer = setInterval(() => (turns += 1), 1);
    // One chunk of 16 MiB, and many files that need hardly more than their headers.
    const chunk = noise(16 * 1024 * 1024);
    const large = sourceOf(chunk.length, () => once(chunk));
    const small = Array.from({ length: 10_000 }, (_, index) => entryOf(`${index}`, ""));
    await drain(createArchive(format, [large, ...small]));
    clearInterval(timer);
    expect(turns).toBeGreaterThan(1);
  });

  test("puts small pieces together into chunks of some size", async () => {
    const entries = Array.from({ length: 2000 }, (_, index) => entryOf(`file-${index}`, "text"));
    let chunks = 0;
    let sizeBytes = 0;
    for await (const chunk of createArchive(format, entries)) {
      chunks += 1;
      sizeBytes += chunk.length;
    }
    expect(chunks).toBeLessThan(sizeBytes / 100_000 + 2);
  });
});

describe("tar", () => {
  test("has the size that was said beforehand", async () => {
    const path = fc
      .array(fc.stringMatching(/^[a-zé]{1,120}$/), { minLength: 1, maxLength: 7 })
      .map((segments) => segments.join("/").normalize("NFC"));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(path, fc.integer({ min: 0, max: 2000 })), { maxLength: 8 }),
        async (list) => {
          const entries = list.map(([path, size]) => entryOf(path, new Uint8Array(size)));
          expect(await drain(createArchive("tar", entries))).toBe(archiveSizeBytes("tar", entries));
        },
      ),
    );
  });

  test("has a size that may be too large to say", () => {
    const sizeBytes = Number.MAX_SAFE_INTEGER;
    const entries = ["a", "b"].map((path) => ({ path, sizeBytes }));
    expect(() => archiveSizeBytes("tar", entries)).toThrow(/2\^53/u);
  });
});

describe("tar.gz", () => {
  test("holds the very bytes of the tar", async () => {
    const entries = [
      entryOf("a", contentOf({ text: "compressible ", times: 50_000, noiseBytes: 500_000 })),
      entryOf("b", "small", { executable: true }),
    ];
    const tar = await archiveOf("tar", entries);
    expect(gunzipSync(await archiveOf("tar.gz", entries)).equals(tar)).toBe(true);
  });

  test("stores what cannot be compressed, at a cost of less than a thousandth", async () => {
    const archive = await archiveOf("tar.gz", [entryOf("noise", noise(4_000_000))]);
    expect(archive.length).toBeLessThan(4_004_000);
  });
});

test("every format has a media type, and others are refused at once", () => {
  expect(Object.keys(archiveMediaTypes)).toEqual([...formats]);
  for (const name of ["rar", "toString", ""]) {
    const format = name as ArchiveFormat;
    expect(() => createArchive(format, [])).toThrow(/no archive format/u);
    expect(() => archiveSizeBytes(format, [])).toThrow(/no archive format/u);
  }
});

async function* once(chunk: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield chunk;
}
