import { readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { format } from "../checks/format.ts";
import { lint } from "../checks/lint.ts";
import { types } from "../checks/types.ts";
import { unused } from "../checks/unused.ts";
import { folderWith, repositoryRoot } from "./fixture.ts";

const compilerOptions = { module: "nodenext", target: "es2024", strict: true, noEmit: true };
const tsconfig = JSON.stringify({
  compilerOptions: { ...compilerOptions, types: ["node"], allowImportingTsExtensions: true },
  include: ["packages"],
});
const oxlintrc = readFileSync(join(repositoryRoot, ".oxlintrc.json"), "utf8");

/** The rules that oxlint finds broken in each file, under the repository's rules. */
async function lintOf(
  files: Readonly<Record<string, string>>,
): Promise<Readonly<Record<string, readonly string[]>>> {
  const root = folderWith({ ".oxlintrc.json": oxlintrc, "tsconfig.json": tsconfig, ...files });
  const output = (await lint.run(root)).join("\n");
  const found = Object.keys(files).map((path) => {
    const lines = output.matchAll(/^(\S+?):\d+:\d+: .*\(([a-z-]+)\)\]$/gm);
    const rules = [...lines].filter((match) => match[1] === path).map((match) => match[2] ?? "");
    return [path, rules] as const;
  });
  return Object.fromEntries(found);
}

describe("types", () => {
  test("pass where they fit, and fail where they do not", async () => {
    const good = { "tsconfig.json": tsconfig, "packages/a.ts": "export const a: number = 1;\n" };
    expect(await types.run(folderWith(good))).toEqual([]);
    const bad = { ...good, "packages/a.ts": 'export const a: number = "1";\n' };
    expect((await types.run(folderWith(bad))).join("\n")).toContain("packages/a.ts");
  });
});

describe("format", () => {
  test("passes what the formatter would leave alone, and names what it would not", async () => {
    expect(await format.run(folderWith({ "a.ts": "export const a = 1;\n" }))).toEqual([]);
    const problems = await format.run(folderWith({ "a.ts": "export const a=1" }));
    expect(problems.join("\n")).toContain("a.ts");
  });
});

describe("lint", () => {
  const folder = "packages/identity/src/lib";
  const longBody = "  Math.random();\n".repeat(80);

  test("holds libraries to the rules that catch defects and to their boundaries", async () => {
    const samples: readonly (readonly [path: string, rule: string, text: string])[] = [
      [
        "floating",
        "no-floating-promises",
        "export const f = (): void => {\n  Promise.resolve(1);\n};",
      ],
      ["misused", "no-misused-promises", "export const f = (x: Promise<1>) => (x ? 1 : 2);"],
      ["any", "no-explicit-any", "export const f = (x: any): void => void x;"],
      [
        "return",
        "return-await",
        "export async function f(x: Promise<1>) {\n  try {\n    return x;\n  } catch {\n    return 2;\n  }\n}",
      ],
      ["print", "no-console", 'console.log("x");\nexport {};'],
      ["web", "no-restricted-imports", 'export { Hono } from "hono";'],
      ["backend", "no-restricted-imports", 'export type { L } from "@store/storage-local";'],
      [
        "path",
        "no-restricted-imports",
        'export { b } from "../../../../packages/manifest/src/b.ts";',
      ],
      [
        "circle-a",
        "no-cycle",
        'import { b } from "./circle-b.ts";\nexport const a = (): unknown => b;',
      ],
      [
        "circle-b",
        "no-cycle",
        'import { a } from "./circle-a.ts";\nexport const b = (): unknown => a;',
      ],
      ["long-file", "max-lines", `export const a = [\n${"  1,\n".repeat(310)}];`],
      ["long-function", "max-lines-per-function", `export function f(): void {\n${longBody}}`],
    ];
    const files = samples.map(([name, , text]) => [`${folder}/${name}.ts`, `${text}\n`] as const);
    const found = await lintOf(Object.fromEntries(files));
    for (const [name, rule] of samples) {
      expect(found[`${folder}/${name}.ts`], name).toContain(rule);
    }
  });

  test("lets what is in order pass, a test be long and an app print", async () => {
    const found = await lintOf({
      [`${folder}/a.ts`]: "export const a = 1;\n",
      "packages/identity/test/a.ts": `export function f(): void {\n${longBody}}\n`,
      "apps/cli/src/a.ts": 'console.log("x");\n',
    });
    expect(Object.values(found)).toEqual([[], [], []]);
  });
});

describe("unused code", () => {
  test("a file that nothing imports is named", async () => {
    const root = folderWith({
      "package.json": JSON.stringify({ name: "x", type: "module", main: "index.ts" }),
      "index.ts": "export const a = 1;\n",
    });
    expect(await unused.run(root)).toEqual([]);
    const lonely = folderWith({
      "package.json": JSON.stringify({ name: "x", type: "module", main: "index.ts" }),
      "index.ts": "export const a = 1;\n",
      "lonely.ts": "export const b = 1;\n",
    });
    expect((await unused.run(lonely)).join("\n")).toContain("lonely.ts");
  });
});
