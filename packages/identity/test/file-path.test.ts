import { describe, expect, test } from "vitest";
import * as fc from "fast-check";
import { assertFilePath, findPathConflict, isStoreError, pathAncestors } from "../src/index.ts";
import { refusalOf } from "./refusal.ts";
import vectors from "../vectors/paths.json" with { type: "json" };

const proving = process.env["STORE_PROVE"] === "1";

/** What the message of each kind of refusal says. */
const messages: Readonly<Record<string, string>> = {
  empty: "is empty",
  absolute: "is absolute",
  "empty segment": "has an empty segment",
  "trailing slash": "has an empty segment",
  "dot segment": "has a segment '.'",
  "parent segment": "has a segment '..'",
  backslash: "holds a backslash",
  drive: "begins with a drive",
  "control character": "holds a control character",
  "not NFC": "is not in Unicode normalization form C",
  "segment too long": "has a segment of more than 255 bytes",
  "segment too long in bytes": "has a segment of more than 255 bytes",
  "path too long": "has more than 1024 bytes",
  "path too long in bytes": "has more than 1024 bytes",
  "Windows device": "is a device on Windows",
  "ends with a dot": "ends with a dot or a space",
  "ends with a space": "ends with a dot or a space",
};

describe("a file path", () => {
  test.each(vectors.valid)("may be %j", (path) => {
    expect(() => assertFilePath(path)).not.toThrow();
  });

  test.each(vectors.invalid)("is refused: $why: $path", ({ path, why }) => {
    expect(() => assertFilePath(path)).toThrow(
      expect.objectContaining({
        code: "invalid_path",
        message: expect.stringContaining(messages[why] ?? "a message for every reason"),
      }),
    );
  });

  // Not among the vectors: a JSON file cannot hold them for every language.
  test.each(["\ud800", "a\udc00b", "\udc00\ud800"])(
    "is refused with half a surrogate pair",
    (path) => {
      expect(() => assertFilePath(path)).toThrow("holds half a surrogate pair");
    },
  );

  test("of megabytes is refused unread, with a short message", () => {
    for (const path of ["a/".repeat(2_000_000), "\ud800".repeat(2_000_000)]) {
      const error = refusalOf(() => assertFilePath(path));
      expect(error.message.length).toBeLessThan(700);
      expect(error.context.limit).toBe(1024);
    }
  });

  test("is refused where it is no text", () => {
    for (const value of [undefined, null, 5, ["a"]]) {
      expect(() => Reflect.apply(assertFilePath, undefined, [value])).toThrow(
        "A file path is a text",
      );
    }
  });

  test("that is accepted stays below its folder, by a second reading of the rules", () => {
    const piece = fc.oneof(
      fc.constantFrom("..", ".", "/", "//", "\\", "C:", "%2e", " ", "nul", ".txt", "e\u0301", "é"),
      fc.string({ unit: "binary", maxLength: 3 }),
      fc.stringMatching(/^[a-z]{1,8}$/),
    );
    const path = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(""));
    fc.assert(
      fc.property(path, (text) => {
        expect(isAccepted(text)).toBe(followsRules(text));
      }),
      { numRuns: proving ? 200_000 : 20_000 },
    );
  });
});

describe("the folders of a path", () => {
  test("are named from the outermost", () => {
    expect(pathAncestors("a/b/c")).toEqual(["a", "a/b"]);
    expect(pathAncestors("a")).toEqual([]);
  });
});

describe("a set of paths", () => {
  test.each([
    { paths: [], conflict: undefined },
    { paths: ["a", "b", "c/a", "c/b", "ab"], conflict: undefined },
    { paths: ["a-b", "a/b", "a.b"], conflict: undefined },
    { paths: ["a", "a"], conflict: { path: "a", ancestor: "a" } },
    { paths: ["a", "b", "a/b"], conflict: { path: "a/b", ancestor: "a" } },
    { paths: ["a/b/c/d", "a/b"], conflict: { path: "a/b/c/d", ancestor: "a/b" } },
    { paths: ["a", "a!", "a/b/c"], conflict: { path: "a/b/c", ancestor: "a" } },
  ])("$paths is held against the prefix rule", ({ paths, conflict }) => {
    expect(findPathConflict(paths)).toEqual(conflict);
    expect(findPathConflict(new Set(paths).values())).toEqual(
      conflict?.path === conflict?.ancestor ? undefined : conflict,
    );
  });

  test("conflicts exactly where some path is a folder of another", () => {
    const path = fc
      .array(fc.constantFrom("a", "b", "a!", "a0"), { minLength: 1, maxLength: 4 })
      .map((segments) => segments.join("/"));
    fc.assert(
      fc.property(fc.uniqueArray(path, { maxLength: 8 }), (paths) => {
        const conflict = findPathConflict(paths);
        const expected = paths.some((path) =>
          pathAncestors(path).some((one) => paths.includes(one)),
        );
        expect(conflict !== undefined).toBe(expected);
        const { path, ancestor } = conflict ?? { path: "x/y", ancestor: "x" };
        expect(pathAncestors(path)).toContain(ancestor);
        expect(paths.includes(path) && paths.includes(ancestor)).toBe(expected);
      }),
      { numRuns: 1000 },
    );
  });
});

function isAccepted(path: string): boolean {
  try {
    assertFilePath(path);
    return true;
  } catch (error) {
    if (isStoreError(error, "invalid_path")) return false;
    throw error;
  }
}

/** The rules once more, as plainly as they can be put. */
function followsRules(path: string): boolean {
  return (
    Buffer.from(path, "utf8").toString("utf8") === path &&
    Buffer.byteLength(path) <= 1024 &&
    path === path.normalize("NFC") &&
    !/[\p{Cc}\\]/u.test(path) &&
    !/^[a-z]:/i.test(path) &&
    path.split("/").every(
      (segment) =>
        // This also refuses what is empty, "." and "..".
        /[^. ]$/.test(segment) &&
        Buffer.byteLength(segment) <= 255 &&
        !/^(con|prn|aux|nul|(com|lpt)[1-9¹²³]|con(in|out)\$) *(\..*)?$/is.test(segment),
    )
  );
}
