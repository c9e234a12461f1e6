import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Readable, Writable } from "node:stream";

import { afterAll, beforeAll } from "vitest";

import { buildStore } from "./built.ts";

/** The command line from source, as `pnpm run store` runs it. */
export const source = join(import.meta.dirname, "../bin/store.ts");

let program = source;

/**
 * Lets the tests of this file run the command line as it is published, which starts three times as
 * fast as the source.
 */
export function runBuiltStore(): void {
  let built: Awaited<ReturnType<typeof buildStore>> | undefined;
  beforeAll(async () => {
    built = await buildStore();
    program = built.program;
  });
  afterAll(async () => {
    program = source;
    await built?.[Symbol.asyncDispose]();
  });
}

export interface StoreOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** What stdin gives before it ends; stdin is empty unless given. */
  readonly stdin?: string | Uint8Array;
  /** Where stdout goes to instead of to the test. */
  readonly stdoutPath?: string;
}

/** What a process of `store` answered. */
export interface Answer {
  readonly exitCode: number | null;
  readonly bytes: Buffer;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that has a terminal. */
export interface TerminalProcess extends StoreProcess {
  type(text: string): void;
  /** Waits until the terminal has shown a text. */
  shows(text: string): Promise<void>;
}

export interface StoreProcess {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly answer: Promise<Answer>;
}

/** Starts `store`; its stdin stays open until somebody ends it. */
function startStore(args: readonly string[], options: StoreOptions): StoreProcess {
  const command = [process.execPath, ...ownOptions(program), program, ...args];
  if (options.stdoutPath !== undefined) {
    command.unshift("/bin/sh", "-c", 'exec "$@" > "$0"', options.stdoutPath);
  }
  return spawnProcess(command, options);
}

/** The options that a program's first line gives to Node.js, as a shell would: `env -S node …`. */
export function ownOptions(path: string): string[] {
  const [first = ""] = readFileSync(path, "utf8").split("\n", 1);
  return first
    .replace(/^#!\S+ -S node/, "")
    .split(" ")
    .filter((option) => option !== "");
}

function spawnProcess(
  [file = "", ...args]: readonly string[],
  options: StoreOptions,
): StoreProcess {
  const child = spawn(file, args, {
    cwd: options.cwd,
    // What the tests' own environment says must not decide which instance is used.
    env: {
      PATH: process.env.PATH,
      HOME: options.cwd,
      TMPDIR: process.env.TMPDIR,
      STORE_ACTOR: "tester",
      ...options.env,
    },
    stdio: ["pipe", "pipe", "pipe"],
  });
  // A command that never reads its stdin may be gone before that is written.
  child.stdin.on("error", () => {});
  return { child, answer: answerOf(child) };
}

/** Runs `store` to its end. */
async function store(args: readonly string[], options: StoreOptions): Promise<Answer> {
  const { child, answer } = startStore(args, options);
  child.stdin.end(options.stdin ?? "");
  return await answer;
}

/** Runs `store`, which must succeed, and reads its JSON document. */
async function storeJson<T>(args: readonly string[], options: StoreOptions): Promise<T> {
  const answer = await store([...args, "--json"], options);
  if (answer.exitCode !== 0) throw new Error(`store ${args.join(" ")}: ${answer.stderr}`);
  return JSON.parse(answer.stdout) as T;
}

async function answerOf(child: StoreProcess["child"]): Promise<Answer> {
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  const [exitCode] = (await once(child, "close")) as [number | null];
  const bytes = await stdout;
  return { exitCode, bytes, stdout: bytes.toString(), stderr: (await stderr).toString() };
}

async function collect(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** A folder of a test's own, removed with all that is in it. */
export class Sandbox implements AsyncDisposable {
  readonly folder: string;
  /** What every command of the sandbox finds in its environment. */
  readonly env: Record<string, string> = {};
  readonly #started: StoreProcess[] = [];

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async create(): Promise<Sandbox> {
    return new Sandbox(await mkdtemp(join(tmpdir(), "store-cli-")));
  }

  path(...names: string[]): string {
    return join(this.folder, ...names);
  }

  /** Writes files, with their folders; a value may say that the file is executable. */
  async write(files: Readonly<Record<string, string | Uint8Array | Executable>>): Promise<void> {
    for (const [name, content] of Object.entries(files)) {
      const path = this.path(name);
      await mkdir(dirname(path), { recursive: true });
      if (content instanceof Executable) await writeFile(path, content.content, { mode: 0o755 });
      else await writeFile(path, content);
    }
  }

  /** Starts a command that does not end by itself; at the latest it ends with the sandbox. */
  start(...args: string[]): StoreProcess {
    const started = startStore(args, { cwd: this.folder, env: this.env });
    this.#started.push(started);
    return started;
  }

  /** Starts a command on a terminal of its own, which shows on one stream what it writes. */
  startOnTerminal(...args: string[]): TerminalProcess {
    // `script` (util-linux) gives it the terminal, and passes its exit code on.
    const quoted = [process.execPath, program, ...args].map((word) => `'${word}'`).join(" ");
    const options = { cwd: this.folder, env: this.env };
    const started = spawnProcess(["script", "-qefc", quoted, "/dev/null"], options);
    this.#started.push(started);
    let shown = "";
    started.child.stdout.on("data", (chunk: Buffer) => {
      shown += chunk.toString();
    });
    return {
      ...started,
      type: (text) => void started.child.stdin.write(text),
      async shows(text) {
        while (!shown.includes(text)) await once(started.child.stdout, "data");
      },
    };
  }

  store(args: readonly string[], options: Partial<StoreOptions> = {}): Promise<Answer> {
    return store(args, { cwd: this.folder, ...options, env: { ...this.env, ...options.env } });
  }

  /** Runs a command that must succeed. */
  async ok(...args: string[]): Promise<Answer> {
    const answer = await this.store(args);
    if (answer.exitCode !== 0) throw new Error(`store ${args.join(" ")}: ${answer.stderr}`);
    return answer;
  }

  json<T>(...args: string[]): Promise<T> {
    return storeJson<T>(args, { cwd: this.folder, env: this.env });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { child } of this.#started) child.kill("SIGKILL");
    await Promise.all(this.#started.map(({ answer }) => answer));
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** A file with its executable bits set. */
export class Executable {
  readonly content: string;

  constructor(content: string) {
    this.content = content;
  }
}
