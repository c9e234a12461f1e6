import { HintedError } from "./hinted-error.ts";
import { nearestOf } from "./nearest.ts";

/** What was typed cannot be run; the hint is its own. */
export class UsageError extends HintedError {
  constructor(message: string, hint: string) {
    super("invalid_argument", message, hint);
  }
}

/** A command as far as its usage goes. */
export interface CommandUsage {
  readonly id: string;
  readonly flags: Readonly<Record<string, unknown>>;
}

/** The error for a command that does not exist, naming the nearest one that does. */
export function unknownCommand(words: readonly string[], ids: readonly string[]): UsageError {
  const [first = "", second = ""] = words.filter((word) => !word.startsWith("-"));
  const [option = ""] = words;
  if (option.startsWith("-")) {
    return new UsageError(`\`store ${option}\` is no command; flags come after it.`, seeHelp(""));
  }
  if (first === "") return new UsageError("The name of the command is empty.", seeHelp(""));
  const commands = ids.map((id) => id.replaceAll(":", " "));
  if (commands.includes(first)) {
    return new UsageError(`\`store ${first}\` does not take '${second}'.`, seeHelp(first));
  }
  const isTopic = commands.some((command) => command.startsWith(`${first} `));
  if (isTopic && second === "") {
    return new UsageError(`\`store ${first}\` misses what to do.`, seeHelp(first));
  }
  const shown = isTopic ? `${first} ${second}` : first;
  const nearest = nearestOf(`${first} ${second}`, commands) ?? nearestOf(first, commands);
  return new UsageError(
    `There is no command \`store ${shown}\`.`,
    nearest === undefined ? seeHelp(isTopic ? first : "") : `Did you mean \`store ${nearest}\`?`,
  );
}

/** What oclif's parser refused, in one line and with a way on. */
export function parsingError(error: Error, command: CommandUsage | undefined): UsageError {
  const name = command?.id.replaceAll(":", " ") ?? "";
  const [unknownFlag] = namesIn(error, "flags");
  if (unknownFlag !== undefined) {
    const flags = ["help", ...Object.keys(command?.flags ?? {})].map((flag) => `--${flag}`);
    const nearest = nearestOf(unknownFlag, flags);
    const hint = nearest === undefined ? seeHelp(name) : `Did you mean ${nearest}?`;
    return new UsageError(`\`store ${name}\` does not know ${unknownFlag}.`, hint);
  }
  const missing = namesIn(error, "args");
  if (missing.length > 0 && error.message.startsWith("Missing")) {
    const shown = missing.map((argument) => argument.toUpperCase()).join(", ");
    return new UsageError(`\`store ${name}\` misses ${shown}.`, seeHelp(name));
  }
  const [message = ""] = error.message.split("\nSee more help");
  return new UsageError(reworded(message.trim().replaceAll(/\s*\n\s*/g, " ")), seeHelp(name));
}

/** oclif's sentences, made whole. */
function reworded(message: string): string {
  const sentence = message
    .replace(/^The following errors? occurred: +/, "")
    .replace(/^Missing required flag (\S+)$/, "--$1 is missing")
    .replace(/^Parsing (--\S+) +Expected (.+) but received: (.*)$/, "$1 takes $2, not '$3'")
    .replace(/^Flag (--\S+) expects a value$/, "$1 misses its value");
  return sentence.endsWith(".") ? sentence : `${sentence}.`;
}

/** The names that an error of oclif's parser carries: texts, or objects that have a name. */
function namesIn(error: Error, property: "flags" | "args"): string[] {
  const value: unknown = Reflect.get(error, property);
  if (!Array.isArray(value)) return [];
  return value.map((item: unknown) => {
    const named = typeof item === "object" && item !== null && "name" in item ? item.name : item;
    return String(named);
  });
}

function seeHelp(name: string): string {
  return `See \`store ${name === "" ? "" : `${name} `}--help\`.`;
}
