import { createContext, runInContext } from "node:vm";
import { build } from "esbuild";
import { beforeAll, describe, expect, test } from "vitest";
import { encodeManifest, manifestDigest, toJcs } from "@store/manifest";
import { manifestOf } from "./manifest-of.ts";

/** What a page would do with the package: bytes cross over as arrays of numbers. */
const page = `
  import { decodeManifest, encodeManifest, fromJcs, manifestDigest, toJcs } from "@store/manifest";

  globalThis.forms = async (numbers) => {
    const manifest = await decodeManifest(Uint8Array.from(numbers));
    const cbor = await encodeManifest(manifest);
    const jcs = await toJcs(manifest);
    return JSON.stringify({
      cbor: [...cbor],
      jcs: [...jcs],
      back: [...(await fromJcs(jcs))],
      digest: String(await manifestDigest(cbor)),
    });
  };
`;

/** An encoder that gives bytes of the page's own kind, as a browser's does. */
const encoder = `
  const Outer = TextEncoder;
  globalThis.TextEncoder = class {
    encode = (text) => Uint8Array.from(new Outer().encode(text));
  };
`;

interface Page {
  readonly forms: (numbers: readonly number[]) => Promise<string>;
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
  test("holds no import of Node", () => {
    expect(bundle).not.toMatch(/["'`]node:/);
    expect(bundle).not.toMatch(/\brequire\(/);
  });

  test("gives the forms that Node gives, in slices divided by messages", async () => {
    // Globals that every browser has, and nothing of Node: no Buffer, no setImmediate.
    const context = createContext({ TextEncoder, TextDecoder, performance, MessageChannel });
    runInContext(`{ ${encoder} }`, context);
    runInContext(bundle, context);
    const { forms } = runInContext("globalThis", context) as Page;
    const manifest = manifestOf(2000);
    const cbor = await encodeManifest(manifest);
    expect(JSON.parse(await forms([...cbor]))).toEqual({
      cbor: [...cbor],
      jcs: [...(await toJcs(manifest))],
      back: [...cbor],
      digest: (await manifestDigest(cbor)).toString(),
    });
  });
});
