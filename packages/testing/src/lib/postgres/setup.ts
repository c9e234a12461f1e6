/**
 * Global set-up of the test run: the first test that asks starts the one server, over a socket
 * that all workers and their children inherit. A run that needs no PostgreSQL starts none.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** The environment variable with the port and the word that the socket wants to hear. */
export const socketVariable = "STORE_TEST_POSTGRES";

/** Called by vitest before the first test; returns what it calls after the last. */
export default async function setup(): Promise<() => Promise<void>> {
  const word = randomBytes(16).toString("hex");
  let keeper: ChildProcess | undefined;
  let answer: Promise<string> | undefined;
  const start = (): Promise<string> => {
    keeper = startKeeper();
    return firstLine(keeper);
  };
  const control = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", (heard) => {
      // The answer holds the server's password.
      if (heard.toString() !== word) {
        socket.destroy();
        return;
      }
      answer ??= start();
      answer.then(
        (line) => socket.end(`${line}\n`),
        (error: unknown) => socket.end(`${JSON.stringify({ error: String(error) })}\n`),
      );
    });
  });
  control.listen(0, "127.0.0.1");
  await once(control, "listening");
  const address = control.address();
  if (address === null || typeof address === "string") throw new Error("No port was given.");
  process.env[socketVariable] = `${address.port} ${word}`;
  return async () => {
    delete process.env[socketVariable];
    control.close();
    if (keeper !== undefined && keeper.exitCode === null) {
      const exited = once(keeper, "exit");
      keeper.stdin?.end();
      await exited;
    }
  };
}

function startKeeper(): ChildProcess {
  const program = fileURLToPath(new URL("keeper.ts", import.meta.url));
  return spawn(process.execPath, [program], { stdio: ["pipe", "pipe", "inherit"] });
}

async function firstLine(keeper: ChildProcess): Promise<string> {
  if (keeper.stdout === null) throw new Error("The keeper has no output.");
  for await (const line of createInterface({ input: keeper.stdout })) return line;
  throw new Error("The test server of PostgreSQL did not start; its messages are above.");
}
