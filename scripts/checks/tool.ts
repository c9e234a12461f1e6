import { execFile } from "node:child_process";
import { delimiter, resolve } from "node:path";
import { stripVTControlCharacters } from "node:util";

const binFolder = resolve(import.meta.dirname, "../../node_modules/.bin");

export interface ToolResult {
  readonly passed: boolean;
  /** Standard output and standard error, trimmed and without colours. */
  readonly output: string;
}

/** Runs one of the workspace's tools in `folder`, with the workspace's Node first on its path. */
export function runTool(
  folder: string,
  command: string,
  args: readonly string[],
): Promise<ToolResult> {
  const env = {
    ...process.env,
    PATH: `${binFolder}${delimiter}${process.env.PATH ?? ""}`,
    NO_COLOR: "1",
    FORCE_COLOR: undefined,
    TURBO_TELEMETRY_DISABLED: "1",
  };
  return new Promise((settle) => {
    const options = { cwd: folder, env, maxBuffer: 64 * 2 ** 20 };
    const child = execFile(command, args, options, (error, stdout, stderr) => {
      const output = [stdout, stderr]
        .map((text) => text.trim())
        .filter(Boolean)
        .join("\n");
      const failedToStart = error !== null && typeof error.code === "string";
      settle({
        passed: error === null,
        output: failedToStart ? error.message : stripVTControlCharacters(output),
      });
    });
    child.stdin?.end();
  });
}

/** The tool's output as the only problem where it failed. */
export async function problemsOf(
  folder: string,
  command: string,
  args: readonly string[],
): Promise<readonly string[]> {
  const { passed, output } = await runTool(folder, command, args);
  return passed ? [] : [output || `${command} failed and said nothing`];
}
