import { spawn, type ChildProcess, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Writable } from "node:stream";

import { ownOptions } from "./store.ts";

const source = join(import.meta.dirname, "../bin/store.ts");
const watchdogProgram = join(import.meta.dirname, "programs/watchdog.ts");

/** An instance in a folder of its own, and the processes of `store` that work with it. */
export interface Site extends AsyncDisposable {
  readonly folder: string;
  /** Starts `store serve`, on a free port unless one is given, and waits until it listens. */
  serve(options?: ServeOptions): Promise<Served>;
  /** Runs a command on the instance to its end. */
  store(...args: readonly string[]): Promise<Ended & { readonly stdout: string }>;
}

export interface ServeOptions {
  readonly port?: number;
  readonly workers?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** What a process of `store` left. */
export interface Ended {
  readonly exitCode: number | null;
  readonly stderr: string;
}

/** A server in a process of its own. */
export interface Served {
  readonly url: string;
  readonly port: number;
  /** Empty after the first start. */
  readonly setupToken: string;
  readonly processId: number;
  readonly ended: Promise<Ended>;
  end(signal?: NodeJS.Signals): Promise<Ended>;
}

/**
 * Makes a place for an instance; disposing of it ends its servers and removes it. The program is the
 * source unless another one is given, which is run with the options of its first line.
 */
export async function openSite(
  env: Readonly<Record<string, string>> = {},
  program: string = source,
): Promise<Site> {
  const folder = await mkdtemp(join(tmpdir(), "store-site-"));
  const started = new Set<Started>();
  const start = (args: readonly string[], more: Readonly<Record<string, string>> = {}) => {
    const process = startStore(program, folder, args, { ...env, ...more });
    started.add(process);
    void process.ended.then(() => started.delete(process));
    return process;
  };
  return {
    folder,
    async serve({ port = 0, workers = 1, env: more } = {}) {
      const many = workers === 1 ? [] : ["--workers", `${workers}`];
      return await listening(start(["serve", "--json", "--port", `${port}`, ...many], more));
    },
    async store(...args) {
      const { child, ended } = start(args);
      let stdout = "";
      child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
      return { ...(await ended), stdout };
    },
    [Symbol.asyncDispose]: async () => {
      for (const { child } of started) child.kill("SIGKILL");
      await Promise.all(Array.from(started, ({ ended }) => ended));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

type Started = ReturnType<typeof startStore>;

let watchdog: ChildProcessByStdio<Writable, null, null> | undefined;

/** Lets a process end with this one: a test that takes too long is not waited for. */
function watch(child: ChildProcess): void {
  if (watchdog === undefined) {
    watchdog = spawn(process.execPath, [watchdogProgram], { stdio: ["pipe", "ignore", "inherit"] });
    watchdog.unref();
    watchdog.stdin.on("error", () => undefined);
  }
  const { stdin } = watchdog;
  stdin.write(`+${child.pid}\n`);
  child.once("exit", () => stdin.write(`-${child.pid}\n`));
}

function startStore(
  program: string,
  folder: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
) {
  const child = spawn(process.execPath, [...ownOptions(program), program, ...args], {
    cwd: folder,
    // What the tests' own environment says must not decide which instance is used.
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      TMPDIR: process.env.TMPDIR,
      STORE_ACTOR: "tester",
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  watch(child);
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const ended = once(child, "close").then((): Ended => ({ exitCode: child.exitCode, stderr }));
  return { child, ended };
}

async function listening({ child, ended }: Started): Promise<Served> {
  const line = once(createInterface({ input: child.stdout }), "line");
  const failed = ended.then(({ stderr }): never => {
    throw new Error(`The server ended: ${stderr}`);
  });
  failed.catch(() => {});
  const said = (await Promise.race([line, failed])) as [string];
  const { url, setup_token: setupToken = "" } = JSON.parse(said[0]) as {
    readonly url?: string;
    readonly setup_token?: string;
  };
  if (url === undefined) throw new Error(`The server said: ${said[0]}`);
  return {
    url,
    port: Number(new URL(url).port),
    setupToken,
    processId: child.pid ?? 0,
    ended,
    end: async (signal = "SIGTERM") => {
      child.kill(signal);
      return await ended;
    },
  };
}
