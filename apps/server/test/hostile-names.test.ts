import { assertFilePath } from "@store/identity";
import { routes, type Route } from "@store/api";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { openByteServer, type ByteServer } from "./byte-server.ts";
import { openPackage } from "./put.ts";
import { rawRequest } from "./raw-request.ts";
import { openWholeServer, type WholeServer } from "./whole-server.ts";

let server: ByteServer;

beforeAll(async () => {
  server = await openByteServer();
});
afterAll(() => server[Symbol.asyncDispose]());

/** Whether a path, put below a folder by whatever program, stays below it under its own name. */
function isHarmless(path: string): boolean {
  const segments = path.split("/");
  return (
    path === path.normalize("NFC") &&
    path.isWellFormed() &&
    !/[\p{Cc}\\]/u.test(path) &&
    segments.every((segment) => !["", ".", ".."].includes(segment)) &&
    segments.every((segment) => Buffer.byteLength(segment) <= 255) &&
    Buffer.byteLength(path) <= 1_024
  );
}

describe("a path that may lead elsewhere", () => {
  it.each([
    "%2e%2e/%2e%2e/etc/passwd",
    "%252e%252e%252fetc",
    "..%5c..%5cwindows",
    "%2e%2e%5c",
    "..;/etc",
    "%uff0e%uff0e%2f",
    "%ef%bc%8e%ef%bc%8e%ef%bc%8fetc",
    "%e2%80%a5%2fetc",
    "a%e2%88%95b",
    "a%ef%bc%8fb",
    "%c0%2e%c0%2e%c0%af",
    "%e0%80%ae%e0%80%ae%e0%80%af",
    "%f0%80%80%ae",
    "%c1%9c",
    "%ed%a0%80",
    "%ed%a0%bd%ed%b8%80",
    "%f4%90%80%80",
    "%f8%88%80%80%80",
    "%80",
    "%c3",
    "%e2%80%ae%67%70%6a.exe",
    "a%e2%80%8bb",
    "%ef%bb%bfa",
    "a%cc%81",
    "%ef%ac%81",
    "%e2%84%aa",
    "a%c2%80b",
    "a%c2%85b",
    "a%e2%80%a8b",
    "C%3a/windows",
    "C%3a%5cwindows",
    "a%3a%3a$DATA",
    "NUL",
    "con.txt",
    "a.",
    "a%20",
    "%20",
    "~root",
    "-rf",
    "$(id)",
    "%60id%60",
    "%0d%0aset-cookie%3a%20a%3db",
    "a%0d",
    "%7f",
    "__proto__",
    "constructor/prototype",
    ".git/config",
    "a/b/../../../c",
    "a//b",
    "/a",
    "//a",
    "a/",
    "a".repeat(255),
    "é".repeat(128),
    `${"a/".repeat(511)}aa`,
    `${"a/".repeat(512)}aa`,
  ])("is refused, or is exactly the file that it names: %s", async (encoded) => {
    const files = await openPackage(server);
    const lines = [`PUT ${files}/${encoded} HTTP/1.1`, "content-length: 5"];
    const answer = await rawRequest(server.port, lines, "hello");
    const packageId = files.split("/")[4] ?? "";
    const { items } = await server.registry.listFiles(packageId);
    if (items.length === 0) {
      expect(answer).toMatch(/^HTTP\/1\.1 (400|404) /);
      return;
    }
    expect(answer).toMatch(/^HTTP\/1\.1 201 /);
    expect(items.map(({ path }) => path)).toEqual([decodeURIComponent(encoded)]);
    expect(items.every(({ path }) => isHarmless(path))).toBe(true);
  });

  it("is what it was in a tar and in a zip, and leads nowhere", async () => {
    const units = [
      "a",
      "é",
      "\u202e",
      "\u200b",
      "：",
      "~",
      "$",
      " ",
      ".",
      "-",
      "'",
      '"',
      "🚀",
      "%2e%2e",
      "日",
    ];
    const unit = fc.constantFrom(...units);
    // A client resolves dot segments itself, and asks for another path.
    const segment = fc
      .string({ unit, minLength: 1, maxLength: 30 })
      .filter((text) => !/^(\.|%2e){1,2}$/.test(text));
    const drawn = fc
      .array(segment, { minLength: 1, maxLength: 5 })
      .map((segments) => segments.join("/"));
    const property = fc.asyncProperty(
      fc.uniqueArray(drawn, { minLength: 1, maxLength: 10 }),
      async (paths) => {
        const coordinates = { namespace: "acme", name: "names", version: `1.${Math.random()}` };
        const { id } = await server.registry.createPackage(coordinates);
        const added: string[] = [];
        for (const path of paths) {
          const target = path.split("/").map(encodeURIComponent).join("/");
          const put = await fetch(`${server.url}/api/v1/packages/${id}/files/${target}`, {
            method: "PUT",
            body: path,
          });
          expect([201, 400, 404, 409]).toContain(put.status);
          if (put.status === 201) added.push(((await put.json()) as { path: string }).path);
        }
        expect(paths).toEqual(expect.arrayContaining(added));
        await server.registry.finalizePackage(id);
        const download = async (extension: string) => {
          const response = await fetch(`${server.url}/api/v1/packages/${id}/archive.${extension}`);
          return Buffer.from(await response.arrayBuffer());
        };
        expect(tarNames(await download("tar")).toSorted()).toEqual(added.toSorted());
        expect(zipNames(await download("zip")).toSorted()).toEqual(added.toSorted());
        for (const path of added) {
          expect(isHarmless(path)).toBe(true);
          assertFilePath(path);
        }
      },
    );
    await fc.assert(property, { numRuns: 60, seed: 20_260_102 });
  });
});

/** The names of a tar's files: of its extended headers (POSIX pax), else of its own. */
function tarNames(tar: Buffer): string[] {
  const names: string[] = [];
  let extended: string | undefined;
  for (let at = 0; at + 512 <= tar.length && tar[at] !== 0;) {
    const text = (from: number, length: number): string =>
      tar.toString("utf8", at + from, at + from + length).split("\0")[0] ?? "";
    const size = Number.parseInt(text(124, 12) || "0", 8);
    const type = text(156, 1);
    const content = tar.toString("utf8", at + 512, at + 512 + size);
    if (type === "x") extended = /\d+ path=([^\n]*)\n/.exec(content)?.[1] ?? extended;
    else if (type !== "5") {
      const prefix = text(345, 155);
      names.push(extended ?? (prefix === "" ? text(0, 100) : `${prefix}/${text(0, 100)}`));
      extended = undefined;
    }
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return names;
}

/** The names of a zip's central directory (APPNOTE 4.3.12). */
function zipNames(zip: Buffer): string[] {
  const names: string[] = [];
  const signature = Buffer.from("PK\x01\x02");
  const end = zip.lastIndexOf(Buffer.from("PK\x05\x06"));
  for (
    let at = zip.readUInt32LE(end + 16);
    at < end && zip.subarray(at, at + 4).equals(signature);
  ) {
    const lengths = [28, 30, 32].map((place) => zip.readUInt16LE(at + place));
    const [nameLength = 0, extraLength = 0, commentLength = 0] = lengths;
    names.push(zip.toString("utf8", at + 46, at + 46 + nameLength));
    at += 46 + nameLength + extraLength + commentLength;
  }
  return names;
}

describe("an id, a name or an address that is none", () => {
  const hostile = [
    "%00",
    "a%00b",
    "01900000-0000-7000-8000-000000000000%00",
    "%00".repeat(500),
    "%ED%A0%80",
    "%E2%80%AE",
    "%EF%BC%A1cme",
    "%D0%B0cme",
    "%C4%B0",
    "%E2%84%AA",
    "a%CC%81",
    "%F0%9F%9A%80",
    "a".repeat(5_000),
    "%25%30%30",
    "..%2f",
    "%2f%2f",
    "a%20or%201=1",
    "*",
    "null",
    "-1",
  ];
  let whole: WholeServer;
  let token: string;
  beforeAll(async () => {
    whole = await openWholeServer();
    token = await whole.tokenFor("admin:*");
  });
  afterAll(() => whole[Symbol.asyncDispose]());

  const ask = async (target: string): Promise<string> => {
    const lines = [`GET ${target} HTTP/1.1`, `authorization: Bearer ${token}`];
    return await rawRequest(Number(new URL(whole.url).port), lines);
  };
  const nothing = /^HTTP\/1\.1 ((400|404|414) [^]*"code":"[a-z_]+"|200 [^]*{"items":\[\]}$)/;
  const withParams = Object.entries<Route>(routes).filter(
    ([, { path, method }]) => path.includes("{") && method === "GET",
  );

  it.each(withParams)("is nothing to %s, in any of its places", async (_, { path }) => {
    for (const text of hostile) {
      const target = path.replaceAll(/\{(\w+)\}/g, text);
      const answer = expect.stringMatching(nothing);
      expect({ target, answer: await ask(target) }).toEqual({ target, answer });
    }
    expect(whole.failures).toEqual([]);
  });

  it.each(hostile)("is no value of a query that is found: %.40s", async (text) => {
    const queries = ["namespace", "namespace=acme&name", "q", "cursor", "status", "limit"];
    for (const name of queries) {
      const target = `/api/v1/packages?${name}=${text}`;
      expect(await ask(target)).toMatch(nothing);
    }
    expect(whole.failures).toEqual([]);
  });
});
