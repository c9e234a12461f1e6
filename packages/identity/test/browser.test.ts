import { createContext, runInContext } from "node:vm";
import { build } from "esbuild";
import { beforeAll, describe, expect, test } from "vitest";
import { digestBytes } from "../src/index.ts";

/** What a page would do with the package; it runs where nothing of Node exists. */
const page = `
  import * as identity from "@store/identity";

  async function* stream(chunks) {
    for (const text of chunks) yield Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  }

  globalThis.digest = async (chunks, signal) => {
    const { primary, sha256, sizeBytes } = await identity.digestStream(stream(chunks), { signal });
    return { primary: String(primary), sha256: String(sha256), sizeBytes };
  };
  globalThis.engine = (algorithm) => identity.hashEngine(algorithm);
  globalThis.parse = (text) => JSON.stringify(identity.parseReference(text));
  globalThis.refusalOf = (path) => {
    try {
      identity.assertFilePath(path);
    } catch (error) {
      return identity.isStoreError(error) ? error.code : String(error);
    }
  };
`;

interface Page {
  readonly digest: (chunks: string[], signal?: AbortSignal) => Promise<unknown>;
  readonly engine: (algorithm: string) => Promise<string>;
  readonly parse: (text: string) => string;
  WebAssembly: unknown;
  readonly refusalOf: (path: string) => string | undefined;
}

let bundle = "";

beforeAll(async () => {
  const { outputFiles } = await build({
    stdin: { contents: page, resolveDir: import.meta.dirname },
    bundle: true,
    write: false,
    platform: "browser",
    format: "iife",
    target: "es2024",
  });
  bundle = outputFiles[0]?.text ?? "";
});

describe("a browser bundle", () => {
  test("holds no import of Node, of its globals or of the addon", () => {
    expect(bundle).not.toMatch(/["'`]node:/);
    expect(bundle).not.toMatch(/\b(?:require|import)\(/);
    expect(bundle).not.toContain("blake-hash");
    expect(bundle).not.toMatch(/\bprocess\./);
  });

  test("holds the WebAssembly of the registered algorithms and of no other", () => {
    expect(bundle).toContain("createBLAKE3");
    expect(bundle).toContain("createSHA256");
    expect(bundle).not.toMatch(/create(?:SHA512|XXHash64|BLAKE2b|Whirlpool)/);
  });

  test("hashes a stream, with the digests that Node gives", async () => {
    const expected = await digestBytes(new TextEncoder().encode("hello world"));
    expect(await open().digest(["hello ", "", "world"])).toEqual({
      primary: String(expected.primary),
      sha256: String(expected.sha256),
      sizeBytes: 11,
    });
  });

  test("hashes by WebAssembly", async () => {
    expect(await open().engine("blake3")).toBe("wasm");
    expect(await open().engine("sha256")).toBe("wasm");
  });

  test("gives up a stream when its signal says so", async () => {
    await expect(open().digest(["a"], AbortSignal.abort())).rejects.toMatchObject({
      code: "aborted",
    });
  });

  test("says what is missing where the page forbids WebAssembly, and works once it is allowed", async () => {
    const page = open();
    const { WebAssembly } = page;
    page.WebAssembly = undefined;
    await expect(page.digest(["a"])).rejects.toMatchObject({
      code: "unsupported",
      message: expect.stringContaining("WebAssembly"),
    });
    page.WebAssembly = WebAssembly;
    expect(await page.digest(["a"])).toMatchObject({ sizeBytes: 1 });
  });

  test("parses references and refuses paths", () => {
    const { parse, refusalOf } = open();
    expect(JSON.parse(parse("acme/app@1.2.0/linux-amd64"))).toEqual({
      namespace: "acme",
      name: "app",
      selector: { kind: "version", version: "1.2.0", variant: "linux-amd64" },
    });
    expect(refusalOf("../etc/passwd")).toBe("invalid_path");
    expect(refusalOf("etc/passwd")).toBeUndefined();
  });
});

/** Runs the bundle in a context that has the language itself and nothing else. */
function open(): Page {
  const context = createContext({});
  runInContext(bundle, context);
  expect(runInContext("typeof process + typeof Buffer + typeof require", context)).toBe(
    "undefined".repeat(3),
  );
  // A context lists only what was put into it, not the globals of its language.
  return runInContext("globalThis", context) as Page;
}
