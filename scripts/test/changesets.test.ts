import { expect, test } from "vitest";

import { changesets, findChangesetProblems } from "../checks/changesets.ts";
import { commitAll, folderWith, packageAt, writeFiles } from "./fixture.ts";

const packages = [packageAt("packages/identity"), packageAt("packages/testing", { private: true })];
const pending = [
  { id: "kind-cats", summary: "Faster.", releases: [{ name: "@store/identity", type: "minor" }] },
];

test("a changed package with a pending changeset has no problem", () => {
  expect(findChangesetProblems(pending, packages, ["packages/identity/src/index.ts"])).toEqual([]);
});

test("a changed package without a changeset is named", () => {
  expect(findChangesetProblems([], packages, ["packages/identity/src/index.ts"])).toEqual([
    expect.stringContaining("@store/identity changed and no changeset says so"),
  ]);
});

test("tests and private packages need no changeset", () => {
  const paths = ["packages/identity/test/a.test.ts", "packages/testing/src/a.ts"];
  expect(findChangesetProblems([], packages, paths)).toEqual([]);
});

test("a changeset for a package that is not published, or without a word, is refused", () => {
  const bad = [{ id: "x", summary: " ", releases: [{ name: "@store/testing", type: "patch" }] }];
  expect(findChangesetProblems(bad, packages, [])).toEqual([
    ".changeset/x.md: @store/testing is not published",
    ".changeset/x.md: says nothing to the user",
  ]);
});

test("what differs from the main branch counts as changed", async () => {
  const root = folderWith({
    ".gitignore": "node_modules",
    ".changeset/config.json": "{}",
    "pnpm-workspace.yaml": "packages: [packages/*]",
    "packages/identity/package.json": JSON.stringify(packageAt("packages/identity").json),
    "packages/identity/src/index.ts": "",
  });
  await commitAll(root);
  expect(await changesets.run(root)).toEqual([]);
  writeFiles(root, { "packages/identity/src/index.ts": "export const x = 1;\n" });
  expect(await changesets.run(root)).toHaveLength(1);
  writeFiles(root, { ".changeset/new.md": '---\n"@store/identity": patch\n---\n\nAn x.\n' });
  expect(await changesets.run(root)).toEqual([]);
});
