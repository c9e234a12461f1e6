import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";

/** A block of code in a README that is fenced as `ts`, and nothing but `ts`. */
export interface ReadmeExample {
  readonly code: string;
  /** The line of the README on which the code begins, from 1. */
  readonly line: number;
}

/** What an example printed. */
export interface ExampleRun extends ReadmeExample {
  readonly stdout: string;
}

const exampleTimeoutMs = 60_000;
const workspace = join(import.meta.dirname, "../../..");
const require = createRequire(import.meta.url);

/** The `ts` blocks of a Markdown text, in order. */
export function readmeExamples(markdown: string): ReadmeExample[] {
  const examples: ReadmeExample[] = [];
  let block: { line: number; code: string[] } | undefined;
  for (const [index, text] of markdown.split(/\r?\n/u).entries()) {
    if (block === undefined) {
      if (text === "```ts") block = { line: index + 2, code: [] };
    } else if (text === "```") {
      examples.push({ code: `${block.code.join("\n")}\n`, line: block.line });
      block = undefined;
    } else {
      block.code.push(text);
    }
  }
  if (block !== undefined) throw new Error(`the block of line ${block.line} is not closed`);
  return examples;
}

/**
 * Type-checks every `ts` block of a package's README as a module of its own, with the compiler
 * options of the workspace's tests, then runs each with Node.js, one after the other, and gives
 * what they printed. Each runs in a folder of its own inside the package, so that the package's
 * own name and its dependencies resolve and relative paths land nowhere else; the folder is
 * removed afterwards.
 *
 * Throws where there is no block, where one does not compile and where one exits with an error.
 */
export async function runReadmeExamples(
  packageFolder: string,
  options: { readonly env?: Readonly<Record<string, string>> } = {},
): Promise<ExampleRun[]> {
  const examples = readmeExamples(await readFile(join(packageFolder, "README.md"), "utf8"));
  if (examples.length === 0) throw new Error(`${packageFolder}/README.md has no \`ts\` block`);
  // A folder whose name begins with a dot is left out of every tsconfig's wildcards.
  const folder = await mkdtemp(join(packageFolder, ".readme-"));
  try {
    const files = examples.map(({ line }) => `line-${line}.ts`);
    for (const [index, example] of examples.entries()) {
      await writeFile(join(folder, files[index] ?? ""), example.code);
    }
    await compile(folder, files);
    const runs: ExampleRun[] = [];
    for (const [index, example] of examples.entries()) {
      const stdout = await run(folder, [files[index] ?? ""], options.env);
      runs.push({ ...example, stdout });
    }
    return runs;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function compile(folder: string, files: readonly string[]): Promise<void> {
  const tsconfig = { extends: join(workspace, "tsconfig.check.json"), include: [], files };
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify(tsconfig));
  const compiler = join(require.resolve("typescript/package.json"), "../bin/tsc");
  await run(folder, [compiler, "-p", "tsconfig.json"]);
}

/** Runs Node.js in `folder`; throws with all that was printed where it does not exit with 0. */
async function run(
  folder: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const child = spawn(process.execPath, args, {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: exampleTimeoutMs,
    killSignal: "SIGKILL",
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  child.on("error", reject).on("close", resolve);
  const exitCode = await promise;
  if (exitCode === 0) return stdout;
  throw new Error(`${args.join(" ")} exited with ${exitCode}:\n${stdout}${stderr}`);
}
