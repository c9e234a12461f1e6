import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

/** A block of commands in a document, and what the document says that it prints. */
export interface DocumentedCommands {
  /** The line of the document on which the commands begin, from 1. */
  readonly line: number;
  readonly commands: string;
  readonly shown?: { readonly language: "json" | "text"; readonly text: string };
}

const fenced = /^```(\w+)\n(.*?)^```$/gms;

/**
 * The `sh` blocks of a Markdown text, in order. A `json` or a `text` block, with nothing between but
 * white space, shows what the commands print.
 */
export function documentedCommands(markdown: string): DocumentedCommands[] {
  const blocks = [...markdown.matchAll(fenced)].map(
    ({ index, 0: whole, 1: language, 2: text }) => ({
      language,
      text: text ?? "",
      start: index,
      end: index + whole.length,
    }),
  );
  return blocks.flatMap((block, at) => {
    if (block.language !== "sh") return [];
    const { text: commands, start } = block;
    const line = markdown.slice(0, start).split("\n").length + 1;
    const next = blocks[at + 1];
    const follows = next !== undefined && markdown.slice(block.end, next.start).trim() === "";
    if (!follows || (next.language !== "json" && next.language !== "text")) {
      return [{ line, commands }];
    }
    return [{ line, commands, shown: { language: next.language, text: next.text } }];
  });
}

/**
 * Runs the blocks one after the other in one bash, which ends with the first that fails, and gives
 * what each printed.
 */
export async function runCommands(
  blocks: readonly DocumentedCommands[],
  options: { readonly folder: string; readonly env: Readonly<Record<string, string>> },
): Promise<string[]> {
  const { folder, env } = options;
  const script = blocks.map(
    ({ commands, line }) => `echo 'line ${line}' >&2\n${commands}end_of_block\n`,
  );
  const lines = ["set -eu -o pipefail", `end_of_block() { printf '${endOfBlock}'; }`, ...script];
  await writeFile(join(folder, "commands.sh"), lines.join("\n"));
  const bash = promisify(execFile)("bash", ["commands.sh"], { cwd: folder, env });
  const { stdout } = await bash;
  return stdout.split(endOfBlock).slice(0, -1);
}

const endOfBlock = "\u0001";

/** Why what was printed is not what was shown; undefined where it is. */
export function difference({ shown }: DocumentedCommands, printed: string): string | undefined {
  if (shown === undefined) return printed === "" ? undefined : "nothing is shown";
  if (shown.language === "json") {
    return differenceOfJson(JSON.parse(shown.text), JSON.parse(printed), "$");
  }
  return differenceOfText(shown.text, printed);
}

/** Members that are shown must be there; others may. Arrays must have as many items as are shown. */
function differenceOfJson(shown: unknown, printed: unknown, at: string): string | undefined {
  if (typeof shown === "string" && typeof printed === "string") {
    return patternOf(shown).test(printed) ? undefined : `${at} is ${JSON.stringify(printed)}`;
  }
  if (typeof shown !== "object" || shown === null) {
    return shown === printed ? undefined : `${at} is ${JSON.stringify(printed)}`;
  }
  if (typeof printed !== "object" || printed === null) return `${at} is ${String(printed)}`;
  if (Array.isArray(shown) && (!Array.isArray(printed) || printed.length !== shown.length)) {
    return `${at} is ${JSON.stringify(printed)}`;
  }
  const values = new Map<string, unknown>(Object.entries(printed));
  for (const [key, value] of Object.entries(shown)) {
    const found = differenceOfJson(value, values.get(key), `${at}.${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Every piece that is shown must be there, in this order; `…` is anything within a line. */
function differenceOfText(shown: string, printed: string): string | undefined {
  let rest = printed.replaceAll("\r\n", "\n");
  for (const line of shown.trimEnd().split("\n")) {
    const found = new RegExp(sourceOf(line), "u").exec(rest);
    if (found === null) return `${JSON.stringify(line)} is not in ${JSON.stringify(rest)}`;
    rest = rest.slice(found.index + found[0].length);
  }
  return undefined;
}

function patternOf(shown: string): RegExp {
  return new RegExp(`^${sourceOf(shown)}$`, "u");
}

function sourceOf(shown: string): string {
  const pieces = shown.split("…").map((text) => text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, "\\$&"));
  return pieces.join("[^\\n]*?");
}
