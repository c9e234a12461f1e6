/**
 * Global set-up of the test run: the first test that asks starts the one server, over a socket
 * whose path all workers and their children inherit. A run that needs no PostgreSQL starts none.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** The environment variable that names the socket. */
export const socketVariable = "STORE_TEST_POSTGRES";

/** Called by vitest before the first test; returns what it calls after the last. */
export default async function setup(): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), "store-test-control-"));
  let keeper: ChildProcess | undefined;
  let answer: Promise<string> | undefined;
  const control = createServer((socket) => {
    answer ??= (async () => {
      keeper = startKeeper();
      return await firstLine(keeper);
    })();
    socket.on("error", () => undefined);
    answer.then(
      (line) => socket.end(`${line}\n`),
      (error: unknown) => socket.end(`${JSON.stringify({ error: String(error) })}\n`),
    );
  });
  control.listen(join(folder, "control"));
  await once(control, "listening");
  process.env[socketVariable] = join(folder, "control");
  return async () => {
    delete process.env[socketVariable];
    control.close();
    if (keeper !== undefined && keeper.exitCode === null) {
      const exited = once(keeper, "exit");
      keeper.stdin?.end();
      await exited;
    }
    await rm(folder, { recursive: true, force: true });
  };
}

function startKeeper(): ChildProcess {
  const program = fileURLToPath(new URL("postgres-keeper.ts", import.meta.url));
  return spawn(process.execPath, [program], { stdio: ["pipe", "pipe", "inherit"] });
}

async function firstLine(keeper: ChildProcess): Promise<string> {
  if (keeper.stdout === null) throw new Error("The keeper has no output.");
  for await (const line of createInterface({ input: keeper.stdout })) return line;
  throw new Error("The test server of PostgreSQL did not start; its messages are above.");
}
