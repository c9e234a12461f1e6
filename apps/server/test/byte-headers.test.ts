import { createHash } from "node:crypto";

import { contentAddress, digestBytes, type ContentAddress } from "@store/identity";
import { describe, expect, it } from "vitest";

import { attachmentHeaders, safeMediaType } from "../src/lib/http/attachment.ts";
import { checkConditions, rangeCounts } from "../src/lib/http/conditions.ts";
import { claimedDigests, formatDigests } from "../src/lib/http/digest-headers.ts";

const tag = `"blake3:${"0".repeat(64)}"`;
const headers = (given: Readonly<Record<string, string>>) => (name: string) => given[name];

describe("a condition", () => {
  it.each([tag, "*", `"other", ${tag}`, ` ${tag} , "b"`, `,,${tag}`, `W/"x",${tag}`])(
    "If-Match: %s holds",
    (list) => {
      expect(checkConditions(headers({ "if-match": list }), tag)).toBe("send");
    },
  );

  it.each(['"other"', `W/${tag}`, "", tag.slice(1), `${tag}x`, `x, ${tag}`])(
    "If-Match: %s does not hold",
    (list) => {
      expect(() => checkConditions(headers({ "if-match": list }), tag)).toThrow(
        expect.objectContaining({ code: "precondition_failed" }),
      );
    },
  );

  it.each([tag, `W/${tag}`, "*", `"a,b", "c", ${tag}`])(
    "If-None-Match: %s says it is known",
    (list) => {
      expect(checkConditions(headers({ "if-none-match": list }), tag)).toBe("not_modified");
    },
  );

  it.each(['"other"', "nonsense", ""])("If-None-Match: %s says that it is not", (list) => {
    expect(checkConditions(headers({ "if-none-match": list }), tag)).toBe("send");
  });

  it("is looked at in the order of RFC 9110: If-Match before If-None-Match", () => {
    const both = headers({ "if-match": '"other"', "if-none-match": tag });
    expect(() => checkConditions(both, tag)).toThrow("If-Match");
  });

  it("If-Range is this very tag, or the range does not count", () => {
    expect(rangeCounts(headers({}), tag)).toBe(true);
    expect(rangeCounts(headers({ "if-range": tag }), tag)).toBe(true);
    for (const other of [`W/${tag}`, '"x"', "Wed, 21 Oct 2015 07:28:00 GMT", "*"]) {
      expect(rangeCounts(headers({ "if-range": other }), tag)).toBe(false);
    }
  });

  it("of many thousand tags is soon looked through", () => {
    const list = `${'"a",'.repeat(4000)}${'W/"'.repeat(4000)}`;
    expect(checkConditions(headers({ "if-none-match": list }), tag)).toBe("send");
  });
});

describe("a digest in a header", async () => {
  const bytes = Buffer.from("hello");
  const base64 = createHash("sha256").update(bytes).digest("base64");
  const sha256 = `sha256:${Buffer.from(base64, "base64").toString("hex")}` as ContentAddress;
  const blake3 = contentAddress((await digestBytes(bytes)).primary);

  it("is written as it is read", () => {
    const written = formatDigests(sha256, blake3);
    expect(written).toMatch(/^sha-256=:[A-Za-z0-9+/]{43}=:, blake3=:[A-Za-z0-9+/]{43}=:$/);
    const read = claimedDigests(headers({ "content-digest": written }), undefined);
    expect(read).toEqual({ address: blake3, sha256 });
  });

  it("of an unknown algorithm is passed over", () => {
    const value = `md5=:AAAA:, unixsum=30637, sha-256=:${base64}:`;
    expect(claimedDigests(headers({ "repr-digest": value }), undefined)).toEqual({ sha256 });
    expect(claimedDigests(headers({ "repr-digest": "sha-512=:AAAA:" }), undefined)).toEqual({});
  });

  it("may be said thrice, but not in two ways", () => {
    const value = formatDigests(sha256);
    const all = headers({ "content-digest": value, "repr-digest": value });
    expect(claimedDigests(all, sha256)).toEqual({ sha256 });
    expect(() => claimedDigests(all, `sha256:${"0".repeat(64)}`)).toThrow(
      expect.objectContaining({ code: "invalid_argument" }),
    );
    expect(claimedDigests(all, blake3)).toEqual({ sha256, address: blake3 });
  });

  it.each([
    "sha-256",
    "sha-256=1",
    `sha-256=${"A".repeat(43)}`,
    "sha-256=:AAAA:",
    "sha-256=:****:",
    "blake3=:AAAA:",
    'sha-256="x"',
    "=:AAAA:",
    `sha-256=(:${"A".repeat(43)}=:)`,
  ])("that is malformed is refused: %s", (value) => {
    expect(() => claimedDigests(headers({ "content-digest": value }), undefined)).toThrow(
      expect.objectContaining({ code: "invalid_digest" }),
    );
  });

  it.each(["", "blake3:00", "md5:00", "x"])("is no address that is malformed: %j", (address) => {
    expect(() => claimedDigests(headers({}), address)).toThrow(
      expect.objectContaining({ code: "invalid_digest" }),
    );
  });
});

describe("bytes that a user gave", () => {
  it.each([
    "text/html",
    "TEXT/HTML; charset=utf-8",
    "application/xhtml+xml",
    "image/svg+xml",
    "text/xsl",
    "text/xml",
    "application/rss+xml",
    "text/javascript",
    "application/ecmascript",
    "text/css",
    "application/wasm",
    "multipart/x-mixed-replace;boundary=x",
    "message/rfc822",
    undefined,
  ])("are no %s to a browser", (mediaType) => {
    expect(safeMediaType(mediaType)).toBe("application/octet-stream");
  });

  it.each(["text/plain; charset=utf-8", "application/gzip", "image/png", "application/json"])(
    "may be %s",
    (mediaType) => {
      expect(safeMediaType(mediaType)).toBe(mediaType);
    },
  );

  it("are saved under their name, whatever it is", () => {
    expect(attachmentHeaders('naïve "q".txt')["content-disposition"]).toBe(
      `attachment; filename="na?ve \\"q\\".txt"; filename*=UTF-8''na%C3%AFve%20%22q%22.txt`,
    );
    expect(attachmentHeaders("app")).toMatchObject({
      "content-disposition": "attachment; filename=app",
      "content-security-policy": "sandbox; default-src 'none'",
      "x-content-type-options": "nosniff",
    });
  });
});
