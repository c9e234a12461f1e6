import { resolve } from "node:path";
import { userInfo } from "node:os";

import { StoreError } from "@store/identity";

/**
 * Every setting that a process of Store reads from its environment, with its meaning. A test holds
 * `.env.example` against this list, both ways.
 */
export const settingNames = {
  STORE_DATA: "The folder of the instance: its SQLite database and its objects.",
  STORE_DATABASE_URL: "The database: sqlite:<path> or postgres://user:password@host:port/name.",
  STORE_ACTOR: "The opaque id that events name as their author.",
  STORE_HOST: "The address that `store serve` listens on.",
  STORE_PORT: "The port that `store serve` listens on; 0 takes a free one.",
  STORE_DEBUG: "1 prints stack traces beside error messages.",
  NO_COLOR: "Anything but nothing turns colours off.",
  UV_THREADPOOL_SIZE: "How many threads wait for the disk.",
} as const;

/** What a process runs with, complete and checked. */
export interface Settings {
  /** Absolute. */
  readonly dataFolder: string;
  /** Absolute: the root of the local backend that plays the role `primary`. */
  readonly objectsFolder: string;
  readonly databaseUrl: string;
  readonly actor: string;
  readonly host: string;
  readonly port: number;
}

/** What the command line gives; it wins over the environment. */
export interface GivenSettings {
  readonly data?: string | undefined;
  readonly host?: string | undefined;
  readonly port?: number | undefined;
}

/**
 * Settings from the command line, else the environment, else the defaults: SQLite and local disk
 * in `./data`, 127.0.0.1:8000, and the operating system's user as the actor.
 *
 * @throws {StoreError} `invalid_argument` naming the setting.
 */
export function readSettings(
  given: GivenSettings = {},
  environment: NodeJS.ProcessEnv = process.env,
): Settings {
  const dataFolder = resolve(given.data || environment.STORE_DATA || "data");
  return {
    dataFolder,
    objectsFolder: resolve(dataFolder, "objects"),
    databaseUrl: environment.STORE_DATABASE_URL || `sqlite:${resolve(dataFolder, "store.db")}`,
    actor: environment.STORE_ACTOR || `local:${userName()}`,
    host: given.host || environment.STORE_HOST || "127.0.0.1",
    port: given.port ?? readPort(environment.STORE_PORT),
  };
}

function readPort(text: string | undefined): number {
  if (!text) return 8000;
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw new StoreError(
    "invalid_argument",
    `STORE_PORT is '${text}', which is no port; give a number from 0 to 65535.`,
    { context: { actual: text, limit: 65_535 } },
  );
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run as a user id that no account has.
    return `uid-${process.getuid?.() ?? "unknown"}`;
  }
}
