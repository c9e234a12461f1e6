import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { readmeExamples, runReadmeExamples } from "../src/readme.ts";

const folders: string[] = [];

afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

/** A package inside this one, so that what it imports resolves. */
async function packageWith(readme: string): Promise<string> {
  const folder = await mkdtemp(join(import.meta.dirname, ".package-"));
  folders.push(folder);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "README.md"), readme);
  return folder;
}

describe("readmeExamples", () => {
  test("finds the blocks that are fenced as ts, with their lines, and no others", () => {
    const markdown =
      "# A\n```sh\nls\n```\n\n```ts\nconst a = 1;\n\n```\n```tsx\nx\n```\n```ts\nb();\n```\n";
    expect(readmeExamples(markdown)).toEqual([
      { code: "const a = 1;\n\n", line: 7 },
      { code: "b();\n", line: 14 },
    ]);
  });

  test("refuses a block without an end", () => {
    expect(() => readmeExamples("\n```ts\na();\n")).toThrow("line 3 is not closed");
  });
});

describe("runReadmeExamples", () => {
  test("gives what each block prints, and leaves nothing behind", async () => {
    const folder = await packageWith(
      "```ts\nconst a: number = await Promise.resolve(1);\nconsole.log(a);\n```\n```ts\nconst a = process.env['GREETING'];\nconsole.log(a);\n```\n",
    );
    const runs = await runReadmeExamples(folder, { env: { GREETING: "hello" } });
    expect(runs.map(({ stdout }) => stdout)).toEqual(["1\n", "hello\n"]);
    expect(await readdir(folder)).toEqual(["README.md"]);
  });

  test("fails where a block does not compile, naming its line", async () => {
    const folder = await packageWith("\n```ts\nconst a: number = 'text';\nexport { a };\n```\n");
    await expect(runReadmeExamples(folder)).rejects.toThrow(/line-3\.ts.*TS2322/s);
    expect(await readdir(folder)).toEqual(["README.md"]);
  });

  test("fails where a block throws, and shows what it printed", async () => {
    const folder = await packageWith("```ts\nthrow new Error('broken example');\n```\n");
    await expect(runReadmeExamples(folder)).rejects.toThrow("broken example");
  });

  test("fails where there is nothing to run", async () => {
    await expect(runReadmeExamples(await packageWith("# A\n"))).rejects.toThrow("no `ts` block");
  });
});
