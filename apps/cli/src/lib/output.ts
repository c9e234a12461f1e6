import { styleText } from "node:util";

import { exitCodes } from "./exit-codes.ts";
import { systemError } from "./system-error.ts";

/** Nobody reads stdout any more. */
export class OutputClosedError extends Error {}

let outputFailure: Error | undefined;

/** Keeps a failing stdout from ending the process by an unhandled event: writes report it. */
export function watchOutput(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.removeAllListeners("error");
    stream.on("error", (error: Error) => {
      if (stream === process.stdout) outputFailure ??= error;
    });
  }
}

/**
 * Writes to stdout and waits until it is taken, so that a slow reader slows the command down.
 *
 * @throws {OutputClosedError} where the reader went away.
 * @throws {StoreError} where stdout takes no more, e.g. a file on a full disk.
 */
export async function printBytes(bytes: Uint8Array | string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const settle = (error?: Error | null) => {
    if (!error) resolve();
    else if (isClosed(error)) reject(new OutputClosedError());
    else reject(systemError(error, "write to", "stdout"));
  };
  try {
    process.stdout.write(bytes, settle);
  } catch (error) {
    // A file is written at once, so its error is thrown and not called back.
    settle(error instanceof Error ? error : new Error(String(error)));
  }
  await promise;
}

/** Prints one line, or several, on stdout. */
export async function printLine(text = ""): Promise<void> {
  await printBytes(`${text}\n`);
}

/** Prints a value as one JSON document: for a person indented, for a program on one line. */
export async function printDocument(value: unknown): Promise<void> {
  await printLine(JSON.stringify(value, undefined, process.stdout.isTTY ? 2 : undefined));
}

/** Prints a value as one line of JSON. */
export async function printEvent(value: unknown): Promise<void> {
  await printLine(JSON.stringify(value));
}

/** Prints on stderr, so that stdout holds nothing but the answer. */
export function printError(kind: "error" | "warning" | "hint", text: string): void {
  const colors = { error: "red", warning: "yellow", hint: "dim" } as const;
  const label = styleText(colors[kind], `${kind}:`, { stream: process.stderr });
  process.stderr.write(`${label} ${text}\n`);
}

/** Says on stderr what a person would miss on stdout, e.g. that a list is empty. */
export function printNote(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Styles a text for stdout, where stdout is a terminal and colours are wanted. */
export function styled(format: Parameters<typeof styleText>[0], text: string): string {
  return styleText(format, text, { stream: process.stdout });
}

/** Waits until stdout has taken everything; returns the exit code that this leaves. */
export async function flushOutput(exitCode: number): Promise<number> {
  try {
    await printBytes("");
  } catch {
    // Told by what follows.
  }
  if (outputFailure === undefined || isClosed(outputFailure)) return exitCode;
  // An answer that could not be written is told already.
  if (exitCode !== exitCodes.ok) return exitCode;
  printError("error", systemError(outputFailure, "write to", "stdout").message);
  return exitCodes.unavailable;
}

function isClosed(error: Error): boolean {
  const code = "code" in error ? error.code : undefined;
  return code === "EPIPE" || code === "ERR_STREAM_DESTROYED";
}
