import { fileURLToPath } from "node:url";

import { Config } from "@oclif/core/config";
import { Help, normalizeArgv } from "@oclif/core/help";

import { commandLineConfiguration, isSource } from "./lib/command-line.ts";
import { reportError } from "./lib/error-report.ts";
import { flushOutput, watchOutput } from "./lib/output.ts";
import { unknownCommand, type CommandUsage } from "./lib/usage-error.ts";

/** Where the package lies, and which version it is. */
export interface Package {
  readonly root: URL;
  readonly version: string;
}

/** Runs the command line of this process, and ends the process with its exit code. */
export async function main(cli: Package, argv: readonly string[] = process.argv.slice(2)) {
  watchOutput();
  const found: { command?: CommandUsage } = {};
  let exitCode: number;
  try {
    await run(cli, argv, found);
    exitCode = Number(process.exitCode ?? 0);
  } catch (error) {
    exitCode = await reportError(error, { json: has(argv, "--json"), command: found.command });
  }
  exitCode = await flushOutput(exitCode);
  // A backend that hangs must not keep a command alive whose answer is known.
  process.exit(exitCode);
}

async function run(
  cli: Package,
  argv: readonly string[],
  found: { command?: CommandUsage },
): Promise<void> {
  const root = fileURLToPath(cli.root);
  const config = await Config.load({
    root,
    pjson: commandLineConfiguration(cli.version),
    ignoreManifest: isSource,
  });
  const [first, ...rest] = argv;
  if (first === "--version") return await config.runCommand("version", rest);
  if (first === undefined || first === "help") return await showHelp(config, rest);
  if (has(argv, "--help") || has(argv, "-h")) return await showHelp(config, argv);
  const [id = "", ...commandArguments] = normalizeArgv(config, [...argv]);
  const command = config.findCommand(id);
  if (command) {
    found.command = command;
    return await config.runCommand(id, commandArguments, command);
  }
  if (config.findTopic(id) && commandArguments.length === 0) return await showHelp(config, [id]);
  throw unknownCommand(argv, config.commandIDs);
}

async function showHelp(config: Config, argv: readonly string[]): Promise<void> {
  const [id] = normalizeArgv(config, [...argv]).filter((word) => !word.startsWith("-"));
  if (id !== undefined && !config.findCommand(id) && !config.findTopic(id)) {
    throw unknownCommand(argv, config.commandIDs);
  }
  await new Help(config, config.pjson.oclif.helpOptions).showHelp([...argv]);
}

/** Whether a flag is given; what follows `--` is none. */
function has(argv: readonly string[], flag: string): boolean {
  const end = argv.indexOf("--");
  return (end === -1 ? argv : argv.slice(0, end)).includes(flag);
}
