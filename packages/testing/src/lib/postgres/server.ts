/** One throw-away PostgreSQL server. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chown, cp, mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import postgres from "postgres";
import { freePort } from "../../free-port.ts";
import { nativeFolder, type ServerUser, serverUser } from "./binaries.ts";

/** How to start a server. */
export interface PostgresServerOptions {
  /** Whether commits reach the disk. Default false: tests of durability ask for it. */
  readonly fsync?: boolean;
  /** Further settings, as `name=value`. */
  readonly settings?: readonly string[];
}

/** A running server, which belongs to whoever started it. */
export interface PostgresServer {
  /** The URL of its database, with the password of its superuser. */
  readonly url: string;
  /** The id of the server's first process, of the latest start. */
  readonly pid: number;
  /** Ends it at once, as a crash does, or once sessions are ended; its files stay. */
  end(how?: "at once" | "in order"): Promise<void>;
  /** Starts it again after its end, at the same address. */
  startAgain(): Promise<void>;
  /** Ends it at once and removes its files. */
  stop(): Promise<void>;
}

const startAttempts = 3;

/** Starts a server on a free port of 127.0.0.1, with files in a new temporary folder. */
export async function startPostgresServer(
  options: PostgresServerOptions = {},
): Promise<PostgresServer> {
  return await startWith(options, async ({ native, folder, user }) => {
    const password = randomBytes(16).toString("hex");
    await initialize(native, folder, password, user);
    return password;
  });
}

/** A primary's settings, so that {@link startPostgresStandby} can follow it. */
export const primarySettings = ["wal_level=replica", "max_wal_senders=4", "hot_standby=on"];

/**
 * Starts a hot standby that streams from `primary`, which was started with
 * {@link primarySettings}. The primary is ended and started again for it, to be copied.
 */
export async function startPostgresStandby(
  primary: PostgresServer,
  options: PostgresServerOptions = {},
): Promise<PostgresServer> {
  const settings = [...primarySettings, ...(options.settings ?? [])];
  return await startWith({ ...options, settings }, async ({ folder, user }) => {
    await primary.end("in order");
    await cp(dataFolder(foldersOf.get(primary) ?? ""), dataFolder(folder), { recursive: true });
    await primary.startAgain();
    const { password, port, username } = new URL(primary.url);
    const source = `host=127.0.0.1 port=${port} user=${username} password=${password}`;
    await writeFile(join(dataFolder(folder), "standby.signal"), "");
    const file = join(dataFolder(folder), "postgresql.auto.conf");
    await writeFile(file, `primary_conninfo = '${source}'\n`);
    if (user.uid !== undefined) await giveAll(dataFolder(folder), user);
    return password;
  });
}

const foldersOf = new WeakMap<PostgresServer, string>();

interface Home {
  readonly native: string;
  readonly folder: string;
  readonly user: ServerUser;
}

/** Starts a server whose files `prepare` makes; it tells the superuser's password. */
async function startWith(
  options: PostgresServerOptions,
  prepare: (home: Home) => Promise<string>,
): Promise<PostgresServer> {
  const user = serverUser();
  const folder = await mkdtemp(join(tmpdir(), "store-test-postgres-"));
  try {
    await give(folder, user);
    const native = await nativeFolder(folder, user);
    const password = await prepare({ native, folder, user });
    for (let attempt = 1; ; attempt += 1) {
      // Another port if somebody was quicker to take this one.
      const port = await freePort();
      const launching = { native, folder, password, user, options, port };
      const child = await launch(launching);
      if (child !== undefined) return runningServer(launching, child);
      if (attempt === startAttempts) throw new Error(await readFile(logFile(folder), "utf8"));
    }
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

async function initialize(
  native: string,
  folder: string,
  password: string,
  user: ServerUser,
): Promise<void> {
  const passwordFile = join(folder, "password");
  await writeFile(passwordFile, password, { mode: 0o600 });
  await give(passwordFile, user);
  const flags = ["--no-sync", "--encoding=UTF8", "--auth=password", "-U", "store"];
  // A linguistic default collation finds out the key that forgot its own.
  const locale = ["--locale=C", "--locale-provider=icu", "--icu-locale=en-US"];
  await promisify(execFile)(
    join(native, "bin", "initdb"),
    [...flags, ...locale, `--pwfile=${passwordFile}`, "-D", dataFolder(folder)],
    { ...user, cwd: folder, env: serverEnvironment },
  );
}

interface Launch extends Home {
  readonly password: string;
  readonly port: number;
  readonly options: PostgresServerOptions;
}

/** Returns nothing if the server ended before it answered. */
async function launch(launching: Launch): Promise<ChildProcess | undefined> {
  const { native, folder, user, options, port } = launching;
  const log = await open(logFile(folder), "a");
  const child = spawn(join(native, "bin", "postgres"), serverArguments(folder, port, options), {
    ...user,
    cwd: folder,
    env: serverEnvironment,
    stdio: ["ignore", log.fd, log.fd],
  });
  await log.close();
  return (await answers(urlOf(launching), child)) ? child : undefined;
}

function urlOf({ password, port }: Launch): string {
  return `postgres://store:${password}@127.0.0.1:${port}/postgres`;
}

function runningServer(launching: Launch, first: ChildProcess): PostgresServer {
  const { folder } = launching;
  let child = first;
  const server: PostgresServer = {
    url: urlOf(launching),
    get pid() {
      return child.pid ?? 0;
    },
    end: (how = "at once") => end(child, how === "at once" ? "SIGQUIT" : "SIGINT"),
    async startAgain() {
      const again = await launch(launching);
      if (again === undefined) throw new Error(await readFile(logFile(folder), "utf8"));
      child = again;
    },
    async stop() {
      await end(child, "SIGQUIT");
      await rm(folder, { recursive: true, force: true });
    },
  };
  foldersOf.set(server, folder);
  return server;
}

function serverArguments(folder: string, port: number, options: PostgresServerOptions): string[] {
  const durable = options.fsync === true ? "on" : "off";
  const settings = [
    "listen_addresses=127.0.0.1",
    `port=${port}`,
    "unix_socket_directories=",
    "max_connections=200",
    "shared_buffers=128MB",
    `fsync=${durable}`,
    `full_page_writes=${durable}`,
    "wal_level=minimal",
    "max_wal_senders=0",
    "timezone=UTC",
    ...(options.settings ?? []),
  ];
  return ["-D", dataFolder(folder), ...settings.flatMap((setting) => ["-c", setting])];
}

async function answers(url: string, child: ChildProcess): Promise<boolean> {
  while (child.exitCode === null && child.signalCode === null) {
    const sql = postgres(url, { max: 1, connect_timeout: 5, onnotice: () => undefined });
    try {
      await sql`select 1`;
      return true;
    } catch {
      await sleep(20);
    } finally {
      await sql.end({ timeout: 1 });
    }
  }
  return false;
}

/** SIGQUIT is PostgreSQL's immediate shutdown, SIGINT its fast one; both end every session. */
async function end(child: ChildProcess, signal: "SIGQUIT" | "SIGINT"): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill(signal);
  await ended;
}

async function give(path: string, user: ServerUser): Promise<void> {
  if (user.uid !== undefined && user.gid !== undefined) await chown(path, user.uid, user.gid);
}

async function giveAll(folder: string, { uid, gid }: ServerUser): Promise<void> {
  await promisify(execFile)("chown", ["-R", `${uid}:${gid}`, folder]);
}

const serverEnvironment = { PATH: process.env["PATH"], LC_ALL: "C", TZ: "UTC" };

function dataFolder(folder: string): string {
  return join(folder, "data");
}

function logFile(folder: string): string {
  return join(folder, "server.log");
}
