import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";

import { StoreError } from "@store/identity";

import { exitCodes } from "./exit-codes.ts";
import { InterruptedError } from "./interrupted-error.ts";
import { UsageError } from "./usage-error.ts";

/** No password and no name is longer. */
const limitBytes = 8 * 1024;

export interface SecretQuestion {
  /** E.g. `Password`; names what is missing, too. */
  readonly label: string;
  /** Whether it is asked for twice, since nobody sees what is typed. */
  readonly isNew?: boolean;
}

/**
 * Secrets, in order: asked for on the terminal, where they are not shown, or with `fromStdin` one a
 * line of stdin. Never an argument, which every user of the machine could read.
 */
export async function readSecrets(
  questions: readonly SecretQuestion[],
  { fromStdin }: { readonly fromStdin: boolean },
): Promise<string[]> {
  if (fromStdin) return await secretLines(questions);
  assertTerminal(questions[0]?.label ?? "secret");
  const secrets: string[] = [];
  for (const question of questions) secrets.push(await askSecret(question));
  return secrets;
}

/** Asks for what is no secret. */
export async function askText(label: string): Promise<string> {
  assertTerminal(label);
  return await ask(`${label}: `, { isShown: true });
}

async function askSecret({ label, isNew = false }: SecretQuestion): Promise<string> {
  const secret = await ask(`${label}: `, { isShown: false });
  if (!isNew || (await ask(`${label} again: `, { isShown: false })) === secret) return secret;
  throw new UsageError("The two were not the same.", "Run it again.");
}

async function ask(question: string, { isShown }: { readonly isShown: boolean }): Promise<string> {
  // What is typed goes where the interface writes it: for a secret, nowhere.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({
    input: process.stdin,
    output: isShown ? process.stderr : nowhere,
    terminal: true,
    historySize: 0,
  });
  // Only now does the terminal show nothing by itself: who answers at once must not be too early.
  if (!isShown) process.stderr.write(question);
  const left = Promise.withResolvers<never>();
  const interrupted = () => left.reject(new InterruptedError(exitCodes.interrupted, undefined));
  // Ctrl-C and Ctrl-D are keys while the terminal is read key by key.
  lines.on("SIGINT", interrupted).on("close", interrupted);
  try {
    return await Promise.race([lines.question(isShown ? question : ""), left.promise]);
  } finally {
    left.promise.catch(() => {});
    lines.close();
    if (!isShown) process.stderr.write("\n");
  }
}

function assertTerminal(label: string): void {
  if (process.stdin.isTTY && process.stderr.isTTY) return;
  throw new UsageError(
    `${label} cannot be asked for: stdin or stderr is no terminal.`,
    /username/i.test(label)
      ? "Name the user on the command line."
      : "Give it on stdin, with --password-stdin.",
  );
}

async function secretLines(questions: readonly SecretQuestion[]): Promise<string[]> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  const stdin: AsyncIterable<Buffer> = process.stdin;
  for await (const chunk of stdin) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > limitBytes) {
      const message = `Stdin holds more than ${limitBytes} bytes, which is no password.`;
      throw new StoreError("limit_exceeded", message, { context: { limit: limitBytes } });
    }
    chunks.push(chunk);
  }
  const lines = Buffer.concat(chunks).toString().split(/\r?\n/);
  const missing = questions.find((_, index) => (lines[index] ?? "") === "");
  if (missing === undefined) return lines.slice(0, questions.length);
  const wanted = questions.map(({ label }) => label.toLowerCase()).join(", then the ");
  throw new UsageError(
    `Stdin does not hold the ${missing.label.toLowerCase()}.`,
    `Give the ${wanted}${questions.length > 1 ? ", a line each" : ""}.`,
  );
}
