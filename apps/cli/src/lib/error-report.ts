import { ExitError } from "@oclif/core/errors";
import { isStoreError, StoreError } from "@store/identity";

import { exitCodes, outcomeOf } from "./exit-codes.ts";
import { HintedError } from "./hinted-error.ts";
import { InterruptedError } from "./interrupted-error.ts";
import { OutputClosedError, printDocument, printError } from "./output.ts";
import { printable } from "./printable.ts";
import { parsingError, type CommandUsage } from "./usage-error.ts";

/**
 * Tells of an error: a line that says what was wrong and one that says what to do, on stderr; with
 * `json` a document on stdout besides. Returns the exit code.
 */
export async function reportError(
  error: unknown,
  options: { readonly json: boolean; readonly command?: CommandUsage | undefined },
): Promise<number> {
  // Whoever read stdout has seen enough, like `head`.
  if (error instanceof OutputClosedError) return exitCodes.ok;
  if (error instanceof ExitError) return error.oclif.exit ?? exitCodes.ok;
  if (error instanceof AnsweredError) return error.exitCode;
  const known = toStoreError(error, options.command);
  const { exit, hint } = outcomeOf(known.code);
  const exitCode = error instanceof InterruptedError ? error.exitCode : exit;
  printError("error", printable(known.message));
  printError("hint", known instanceof HintedError ? known.hint : hint);
  if (process.env.STORE_DEBUG || process.env.DEBUG) console.error(error);
  // Where stdout is what failed, stderr has said so.
  if (options.json) await printDocument({ error: errorJson(known) }).catch(() => {});
  return exitCode;
}

/** An error as the command line writes it in JSON. */
export function errorJson(error: StoreError): object {
  const { code, message, context } = error;
  return { code, message, ...(Object.keys(context).length > 0 ? { context } : {}) };
}

/** Ends a command whose answer is printed already, e.g. a check that found something. */
export class AnsweredError extends Error {
  readonly exitCode: number;

  constructor(exitCode: number) {
    super(`The command answered with exit code ${exitCode}.`);
    this.exitCode = exitCode;
  }
}

/** Whatever was thrown, as the error that it stands for. */
export function toStoreError(error: unknown, command?: CommandUsage): StoreError {
  if (isStoreError(error)) return error;
  if (error instanceof InterruptedError) {
    const { cause } = error;
    // It may say how far it has come, and how to go on.
    const isTold = cause instanceof HintedError && cause.code === "aborted";
    return isTold ? cause : new StoreError("aborted", error.message);
  }
  if (isParsingError(error)) return parsingError(error, command);
  const message = error instanceof Error ? error.message : String(error);
  return new StoreError("internal", `Store failed: ${message}`, { cause: error });
}

/** oclif marks what its parser, or the parser of a flag, refuses by an exit code. */
function isParsingError(error: unknown): error is Error {
  return error instanceof Error && "oclif" in error;
}
