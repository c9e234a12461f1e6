import { describe, expect, it } from "vitest";

import {
  coversNamePattern,
  formatNamePattern,
  isStoreError,
  matchesNamePattern,
  parseNamePattern,
} from "../src/index.ts";

describe("a pattern of names", () => {
  it.each(["*", "acme/*", "acme-*/*", "acme/app", "acme/app-*"])(
    "%s is written as read",
    (text) => {
      expect(formatNamePattern(parseNamePattern(text))).toBe(text);
    },
  );

  it.each(["", "acme", "acme/", "/app", "*/app", "acme-*/app", "a/b/c", "ac*me/x", "Acme/*", "**"])(
    "%j is refused",
    (text) => {
      const parse = () => parseNamePattern(text);
      expect(parse).toThrow(expect.toSatisfy((error) => isStoreError(error)));
    },
  );

  it("matches what it says and nothing beside it", () => {
    const app = { namespace: "acme", name: "app-linux" };
    const matching = ["*", "acme/*", "ac*/*", "acme/app-*", "acme/app-linux"];
    const others = ["acme/app", "acme/b*", "acm/*", "acme-*/*", "acme2/*"];
    expect(matching.filter((text) => matchesNamePattern(parseNamePattern(text), app))).toEqual(
      matching,
    );
    expect(others.filter((text) => matchesNamePattern(parseNamePattern(text), app))).toEqual([]);
  });

  it("covers another only where it matches all that the other does", () => {
    const covers = (outer: string, inner: string) =>
      coversNamePattern(parseNamePattern(outer), parseNamePattern(inner));
    expect(covers("*", "acme/*")).toBe(true);
    expect(covers("acme/*", "acme/app-*")).toBe(true);
    expect(covers("ac*/*", "acme-*/*")).toBe(true);
    expect(covers("acme/app-*", "acme/*")).toBe(false);
    expect(covers("acme/app", "acme/app*")).toBe(false);
    expect(covers("acme/*", "ac*/*")).toBe(false);
  });
});
