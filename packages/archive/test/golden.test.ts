import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { archiveSizeBytes } from "../src/index.ts";
import { archiveOf, contentOf, entryOf, formats, sha256 } from "./entries.ts";
import type { ContentRecipe } from "./entries.ts";

interface Golden {
  readonly cases: readonly {
    readonly name: string;
    readonly entries: readonly {
      readonly path: string;
      readonly executable: boolean;
      readonly content: ContentRecipe;
    }[];
    readonly archives: Readonly<
      Record<(typeof formats)[number], { readonly sizeBytes: number; readonly sha256: string }>
    >;
  }[];
}

const golden = JSON.parse(
  readFileSync(join(import.meta.dirname, "../vectors/golden.json"), "utf8"),
) as Golden;

describe.each(golden.cases)("$name", ({ entries, archives }) => {
  const made = (chunkBytes: number) =>
    entries.map(({ path, executable, content }) =>
      entryOf(path, contentOf(content), { executable, chunkBytes }),
    );

  test.each(formats)("gives the %s that was committed", async (format) => {
    const archive = await archiveOf(format, made(64 * 1024));
    expect({ sizeBytes: archive.length, sha256: sha256(archive) }).toEqual(archives[format]);
  });

  test.each(formats)("gives the same %s however its sources divide their bytes", async (format) => {
    for (const chunkBytes of [997, 131_070, 3 * 1024 * 1024]) {
      expect(sha256(await archiveOf(format, made(chunkBytes)))).toBe(archives[format].sha256);
    }
  });

  test("says the size of the tar beforehand, and of no other format", () => {
    expect(archiveSizeBytes("tar", made(1024))).toBe(archives.tar.sizeBytes);
    expect(archiveSizeBytes("tar.gz", made(1024))).toBeUndefined();
    expect(archiveSizeBytes("zip", made(1024))).toBeUndefined();
  });
});
