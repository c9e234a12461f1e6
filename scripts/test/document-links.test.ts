import { expect, test } from "vitest";

import { findBrokenLinks } from "../checks/document-links.ts";

const exists = (path: string): boolean => path === "docs/errors.md" || path === "docs";

function findIn(text: string): readonly string[] {
  return findBrokenLinks([{ path: "packages/identity/README.md", text }], exists);
}

test("a link to a file that is not there is named", () => {
  expect(findIn("See [errors](../../docs/faults.md#codes).")).toEqual([
    "packages/identity/README.md: links to ../../docs/faults.md, which does not exist",
  ]);
});

test("links to files, folders, headings and other sites lead somewhere", () => {
  const text = "[a](../../docs/errors.md#x) [b](../../docs) [c](#here) [d](https://example.com/x)";
  expect(findIn(text)).toEqual([]);
});

test("code is not a link", () => {
  expect(findIn("`a[0](b)`\n\n```ts\nlist[0](nothing);\n```\n")).toEqual([]);
});
