import { randomUUID } from "node:crypto";
import type { Stats } from "node:fs";
import { open, realpath, rename, rm, type FileHandle } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";

import type { Session } from "@store/client";
import { StoreError } from "@store/identity";
import { makeFolders } from "@store/server/process";

import { HintedError } from "../hinted-error.ts";
import { systemCode, systemError } from "../system-error.ts";
import { withLock } from "./lock.ts";

/** A session that `store login` began. Both tokens are secrets. */
export interface StoredSession extends Session {
  readonly username: string;
}

/** Sessions by the URL of their server. */
export type Sessions = ReadonlyMap<string, StoredSession>;

/** Above this it is not what this program wrote. */
const limitBytes = 1024 * 1024;

/** Where sessions are kept: STORE_CREDENTIALS, else in the user's folder of settings. */
function credentialsPath(environment: NodeJS.ProcessEnv = process.env): string {
  if (environment.STORE_CREDENTIALS) return resolve(environment.STORE_CREDENTIALS);
  // XDG Base Directory Specification: a relative path is to be ignored.
  const given = environment.XDG_CONFIG_HOME ?? "";
  const settings = given.startsWith("/") ? given : join(homedir(), ".config");
  return join(settings, "store", "credentials.json");
}

/**
 * The file that keeps sessions, for its owner alone. It is replaced as a whole, so that whoever
 * reads it sees either state, and changed by one process at a time.
 */
export class CredentialsFile {
  readonly path: string;

  constructor(path: string = credentialsPath()) {
    this.path = path;
  }

  /**
   * None where there is no file.
   *
   * @throws {StoreError} `permission_denied` where others may read the file, `invalid_json` where it
   *   is not what this program writes.
   */
  async read(): Promise<Sessions> {
    try {
      await using handle = await open(this.path, "r");
      return parseSessions(await this.#text(handle), this.path);
    } catch (error) {
      if (systemCode(error) === "ENOENT") return new Map();
      throw systemError(error, "read", this.path);
    }
  }

  /**
   * Changes what is kept while no other process does. The work may take its time, e.g. to ask a
   * server, and keeps what it gives to `save` at once.
   */
  async change<T>(
    work: (sessions: Sessions, save: (sessions: Sessions) => Promise<void>) => Promise<T>,
  ): Promise<T> {
    try {
      await makeFolders(dirname(this.path), 0o700);
    } catch (error) {
      throw systemError(error, "make the folder", dirname(this.path));
    }
    return await withLock(`${this.path}.lock`, async () => {
      return await work(await this.read(), (sessions) => this.#write(sessions));
    });
  }

  async #text(handle: FileHandle): Promise<string> {
    const stats = await handle.stat();
    assertPrivate(stats, this.path);
    if (stats.size > limitBytes) throw notOurs(this.path);
    return await handle.readFile("utf8");
  }

  async #write(sessions: Sessions): Promise<void> {
    // A link, as those have who keep their settings elsewhere, stays one.
    const target = await realpath(this.path).catch(() => this.path);
    const staged = `${target}.${randomUUID()}`;
    try {
      {
        await using handle = await open(staged, "wx", 0o600);
        await handle.writeFile(formatSessions(sessions));
        await handle.sync();
      }
      await rename(staged, target);
    } catch (error) {
      await rm(staged, { force: true });
      throw systemError(error, "write", this.path);
    }
  }
}

/** As ssh does with private keys: a secret that others may read is none. */
function assertPrivate(stats: Stats, path: string): void {
  // Windows keeps no such bits.
  if (process.platform === "win32") return;
  const mode = stats.mode & 0o777;
  const uid = process.getuid?.();
  if ((mode & 0o077) === 0 && (uid === stats.uid || uid === 0)) return;
  const [reason, hint] =
    (mode & 0o077) === 0
      ? ["belongs to somebody else", "Log in again with another STORE_CREDENTIALS."]
      : [
          `is open to others (its mode is ${mode.toString(8).padStart(4, "0")})`,
          `Close it with: chmod 600 ${path}; and log in again if others may have read it.`,
        ];
  const message = `${path} keeps secrets and ${reason}; it is not used.`;
  throw new HintedError("permission_denied", message, hint, { context: { path } });
}

interface WrittenSession {
  readonly username: string;
  readonly access_token: string;
  readonly expires_at?: string;
  readonly refresh_token: string;
  readonly refresh_expires_at?: string;
}

function formatSessions(sessions: Sessions): string {
  const servers = Object.fromEntries(
    [...sessions].map(([url, session]): [string, WrittenSession] => [
      url,
      {
        username: session.username,
        access_token: session.accessToken,
        ...(session.expiresAt === undefined ? {} : { expires_at: session.expiresAt }),
        refresh_token: session.refreshToken,
        ...(session.refreshExpiresAt === undefined
          ? {}
          : { refresh_expires_at: session.refreshExpiresAt }),
      },
    ]),
  );
  return `${JSON.stringify({ version: 1, servers }, undefined, 2)}\n`;
}

function parseSessions(text: string, path: string): Sessions {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    // The parser's message would quote what is secret.
    throw notOurs(path);
  }
  if (!isRecord(json) || json.version !== 1 || !isRecord(json.servers)) throw notOurs(path);
  return new Map(
    Object.entries(json.servers).map(([url, session]) => {
      if (!isWritten(session)) throw notOurs(path);
      const { username, access_token, expires_at, refresh_token, refresh_expires_at } = session;
      return [
        url,
        {
          username,
          accessToken: access_token,
          refreshToken: refresh_token,
          ...(expires_at === undefined ? {} : { expiresAt: expires_at }),
          ...(refresh_expires_at === undefined ? {} : { refreshExpiresAt: refresh_expires_at }),
        },
      ];
    }),
  );
}

function isWritten(value: unknown): value is WrittenSession {
  const isText = (field: unknown): boolean => typeof field === "string" && field !== "";
  const isTime = (field: unknown): boolean =>
    field === undefined || (typeof field === "string" && !Number.isNaN(Date.parse(field)));
  return (
    isRecord(value) &&
    [value.username, value.access_token, value.refresh_token].every(isText) &&
    [value.expires_at, value.refresh_expires_at].every(isTime)
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function notOurs(path: string): StoreError {
  return new HintedError(
    "invalid_json",
    `${path} does not hold what \`store login\` writes.`,
    "Move it away and log in again, or name another with STORE_CREDENTIALS.",
    { context: { path } },
  );
}
