import { expect, test } from "vitest";

import { findMetadataProblems } from "../checks/package-metadata.ts";
import type { PackageJson } from "../checks/workspace.ts";
import { packageAt } from "./fixture.ts";

const catalog = { valibot: "1.0.0" };
const everythingExists = (): boolean => true;

function findIn(changes: Partial<PackageJson>): readonly string[] {
  const packages = [packageAt("packages/identity", changes)];
  return findMetadataProblems({ packages, catalog }, everythingExists);
}

test("a package.json with everything in place has no problem", () => {
  expect(findIn({ dependencies: { "@store/x": "workspace:*", valibot: "catalog:" } })).toEqual([]);
});

test.each<[string, Partial<PackageJson>]>([
  ["name is @store/other, not @store/identity", { name: "@store/other" }],
  ["description is missing", { description: "" }],
  ["license is not Apache-2.0", { license: "MIT" }],
  ["type is not module", { type: "commonjs" }],
  ["repository.directory is not packages/identity", { repository: { url: "x", directory: "x" } }],
  ["repository.url is missing", { repository: { directory: "packages/identity" } }],
  ["engines.node is not >=24", { engines: { node: ">=20" } }],
  ["sideEffects is not false", { sideEffects: true }],
  ["files does not list LICENSE", { files: ["dist", "!dist/.tsbuildinfo", "README.md"] }],
  ['exports["."]: publishConfig does not name ./dist/other.js', exportsOf("./src/other.ts")],
  ['exports["."] points at ./dist/index.js, not at src/*.ts', exportsOf("./dist/index.js")],
  ["valibot is 1.2.3, not catalog:", { dependencies: { valibot: "1.2.3" } }],
  ["ajv is ^8.0.0, not one exact version", { dependencies: { ajv: "^8.0.0" } }],
  ["ajv is not in the catalog of pnpm-workspace.yaml", { dependencies: { ajv: "catalog:" } }],
  ["@store/x is 1.0.0, not workspace:*", { devDependencies: { "@store/x": "1.0.0" } }],
])("it is said that %s", (problem, changes) => {
  expect(findIn(changes)).toContain(`packages/identity/package.json: ${problem}`);
});

test("an entry that is only published is named", () => {
  const published = {
    access: "public",
    exports: { ".": "./dist/index.js", "./more": "./dist/more.js" },
  };
  expect(findIn({ exports: { ".": "./src/index.ts" }, publishConfig: published })).toEqual([
    'packages/identity/package.json: exports["./more"] is only in publishConfig',
  ]);
});

test("conditional imports are held to the same rule as exports", () => {
  const imports = { "#engines": { node: "./src/node.ts", default: "./src/any.ts" } };
  expect(findIn({ imports })).toEqual([
    'packages/identity/package.json: imports["#engines"]: publishConfig does not name ./dist/node.js',
    'packages/identity/package.json: imports["#engines"]: publishConfig does not name ./dist/any.js',
  ]);
});

test("files that are promised must exist", () => {
  const packages = [packageAt("packages/identity")];
  const missing = ["packages/identity/README.md", "packages/identity/src/index.ts"];
  const problems = findMetadataProblems(
    { packages, catalog },
    (path) => !missing.includes(path.replaceAll("\\", "/")),
  );
  expect(problems).toEqual([
    "packages/identity/package.json: there is no README.md",
    'packages/identity/package.json: exports["."] points at ./src/index.ts, which does not exist',
  ]);
});

test("a private package needs no metadata, but the same versions", () => {
  const testing = packageAt("packages/testing", {
    private: true,
    license: "",
    dependencies: { valibot: "1.2.3" },
  });
  expect(findMetadataProblems({ packages: [testing], catalog }, everythingExists)).toEqual([
    "packages/testing/package.json: valibot is 1.2.3, not catalog:",
  ]);
});

test("a version that two packages name moves to the catalog", () => {
  const packages = ["identity", "manifest"].map((name) =>
    packageAt(`packages/${name}`, { dependencies: { ajv: "8.0.0" } }),
  );
  expect(findMetadataProblems({ packages, catalog }, everythingExists)).toEqual([
    "ajv: packages/identity, packages/manifest each name a version; use the catalog",
  ]);
});

function exportsOf(target: string): Partial<PackageJson> {
  return { exports: { ".": target, "./package.json": "./package.json" } };
}
