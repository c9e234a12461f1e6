import { createContext, runInContext } from "node:vm";
import { build } from "esbuild";
import { expect, test } from "vitest";
import { archiveOf, entryOf, formats, sha256 } from "./entries.ts";

/** What a page would do with the package; it runs where nothing of Node exists. */
const page = `
  import { createArchive } from "@store/archive";

  globalThis.archive = async (format) => {
    const content = Uint8Array.from("hello", (letter) => letter.charCodeAt(0));
    const entry = {
      path: "hello.txt",
      sizeBytes: content.length,
      executable: false,
      async *open() {
        yield content;
      },
    };
    const bytes = [];
    for await (const chunk of createArchive(format, [entry])) bytes.push(...chunk);
    return bytes.join();
  };
`;

test("a browser bundle holds nothing of Node, and gives the same bytes", async () => {
  const { outputFiles } = await build({
    stdin: { contents: page, resolveDir: import.meta.dirname },
    bundle: true,
    write: false,
    platform: "browser",
    format: "iife",
    target: "es2024",
  });
  const bundle = outputFiles[0]?.text ?? "";
  expect(bundle).not.toMatch(/["'`]node:/);
  expect(bundle).not.toMatch(/\b(?:Buffer|process)\./);

  const context = createContext({ TextEncoder, MessageChannel, performance });
  runInContext(bundle, context);
  for (const format of formats) {
    const text = (await runInContext(`archive("${format}")`, context)) as string;
    const expected = await archiveOf(format, [entryOf("hello.txt", "hello")]);
    expect(sha256(Uint8Array.from(text.split(","), Number))).toBe(sha256(expected));
  }
});
