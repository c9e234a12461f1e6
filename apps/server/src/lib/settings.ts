import { resolve } from "node:path";
import { userInfo } from "node:os";

import type { FailureLimit } from "@store/access";

import {
  databaseSettingNames,
  readDatabaseSettings,
  type DatabaseSettings,
} from "./database-settings.ts";
import { httpSettingNames, readHttpSettings, type HttpSettings } from "./http/http-settings.ts";
import { readStorageSettings } from "./storage/read-storage-settings.ts";
import type { StorageSettings } from "./storage/storage-settings.ts";
import { SettingReader } from "./setting-reader.ts";

/**
 * Every setting that a process of Store reads from its environment, with its meaning. A test holds
 * `.env.example` against this list, both ways.
 */
export const settingNames = {
  STORE_DATA: "The folder of the instance: its SQLite database and its objects.",
  STORE_DATABASE_URL: "The database: sqlite:<path> or postgres://user:password@host:port/name.",
  ...databaseSettingNames,
  STORE_STORAGE_URL: "Where the objects are: file:<path> or s3://<bucket>/<prefix>?region=….",
  STORE_STORAGE_FILE: "A JSON file that names several backends and their placement, instead.",
  STORE_ACTOR: "The opaque id that events name as their author.",
  STORE_HOST: "The address that `store serve` listens on.",
  STORE_PORT: "The port that `store serve` listens on; 0 takes a free one.",
  STORE_PUBLIC_URL: "The URL by which callers reach the server, where a proxy stands before it.",
  STORE_ANONYMOUS_READ: "true lets everybody read every package without a credential.",
  STORE_ACCESS_TOKEN_SECONDS: "How long an access token lives.",
  STORE_REFRESH_TOKEN_SECONDS: "How long a session lives after it was last used.",
  STORE_CLOCK_SKEW_SECONDS: "How far the clocks of several servers may be apart.",
  STORE_LOGIN_FAILURES_PER_ADDRESS: "How many wrong passwords an address may give in ten minutes.",
  STORE_LOGIN_FAILURES_PER_ACCOUNT: "How many an account may be given in ten minutes.",
  STORE_TOKEN_FAILURES_PER_ADDRESS: "How many wrong tokens an address may give in a minute.",
  STORE_CHANGES_PER_USER: "How often a user may log in or make a token or password in ten minutes.",
  STORE_MAX_OBJECT_BYTES: "The largest object that is taken.",
  STORE_OBJECT_MEMORY_BYTES: "How much of small objects is kept in memory, verified.",
  STORE_UPLOAD_SECONDS: "How long a resumable upload lives after its last change.",
  STORE_OPEN_UPLOADS: "How many resumable uploads may be open.",
  STORE_OPEN_UPLOADS_PER_ACTOR: "How many resumable uploads one actor may have open.",
  STORE_MAX_SUBSCRIBERS: "How many may follow the log at once.",
  ...httpSettingNames,
  STORE_WORKERS: "How many processes `store serve` answers with.",
  STORE_LOG: "How `store serve` logs: text for people, json for machines.",
  STORE_LOG_LEVEL: "info logs each request, error only what failed.",
  STORE_URL: "The server that commands work with, instead of an instance on this machine.",
  STORE_TOKEN: "An API token for that server; a secret. It wins over the session of `store login`.",
  STORE_CREDENTIALS: "The file that keeps the sessions of `store login`.",
  STORE_DEBUG: "1 prints stack traces beside error messages.",
  NO_COLOR: "Anything but nothing turns colours off.",
  UV_THREADPOOL_SIZE: "How many threads wait for the disk.",
} as const;

/** What a process runs with, complete and checked. */
export interface Settings {
  /** Absolute. */
  readonly dataFolder: string;
  readonly storage: StorageSettings;
  readonly databaseUrl: string;
  readonly database: DatabaseSettings;
  readonly actor: string;
  readonly host: string;
  readonly port: number;
  /** Without a slash at its end; absent where callers reach the server at `host` and `port`. */
  readonly publicUrl?: string;
  readonly access: AccessSettings;
  readonly limits: InstanceLimits;
  readonly events: EventLimits;
  readonly http: HttpSettings;
  /** How many processes answer; 1 answers in this one. */
  readonly workers: number;
  readonly log: LogSettings;
}

/** How much is logged. */
export type LogLevel = "info" | "error";

/** What is logged, and how. */
export interface LogSettings {
  readonly form: "text" | "json";
  readonly level: LogLevel;
}

/** Who is let in, and for how long. */
export interface AccessSettings {
  readonly anonymousRead: boolean;
  readonly accessTokenMs: number;
  readonly refreshTokenMs: number;
  readonly clockSkewMs: number;
  /** How many failures are let through, in how much time. */
  readonly limits: {
    readonly loginByAddress: FailureLimit;
    readonly loginByAccount: FailureLimit;
    readonly tokenByAddress: FailureLimit;
    readonly changesByUser: FailureLimit;
  };
}

/** What the instance takes. */
export interface InstanceLimits {
  readonly objectLimitBytes: number;
  readonly objectMemoryBytes: number;
  readonly uploadMs: number;
  readonly openUploads: number;
  readonly openUploadsPerActor: number;
}

/** How the log is followed. */
export interface EventLimits {
  /** How often a subscriber to whom nothing happens is sent a comment. */
  readonly heartbeatMs: number;
  /** How long a subscriber may take for an event before it is dropped. */
  readonly slowSubscriberMs: number;
  /** How many may follow the log at once. */
  readonly subscribers: number;
}

/** How the log is followed where nothing is given. */
export const defaultEventLimits: EventLimits = Object.freeze({
  heartbeatMs: 15_000,
  slowSubscriberMs: 10_000,
  subscribers: 1_000,
});

/** What the command line gives; it wins over the environment. */
export interface GivenSettings {
  readonly data?: string | undefined;
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly workers?: number | undefined;
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
  const read = new SettingReader(environment);
  const publicUrl = read.url("STORE_PUBLIC_URL");
  return {
    dataFolder,
    database: readDatabaseSettings(read),
    storage: readStorageSettings(dataFolder, environment),
    databaseUrl: environment.STORE_DATABASE_URL || `sqlite:${resolve(dataFolder, "store.db")}`,
    actor: environment.STORE_ACTOR || `local:${userName()}`,
    host: given.host || environment.STORE_HOST || "127.0.0.1",
    port: given.port ?? read.integer("STORE_PORT", { otherwise: 8000, most: 65_535 }),
    ...(publicUrl === undefined ? {} : { publicUrl }),
    access: readAccessSettings(read),
    limits: {
      objectLimitBytes: read.integer("STORE_MAX_OBJECT_BYTES", { otherwise: 5 * 2 ** 40 }),
      objectMemoryBytes: read.integer("STORE_OBJECT_MEMORY_BYTES", { otherwise: 32 * 2 ** 20 }),
      uploadMs: read.seconds("STORE_UPLOAD_SECONDS", 24 * 60 * 60),
      openUploads: read.integer("STORE_OPEN_UPLOADS", { otherwise: 10_000 }),
      openUploadsPerActor: read.integer("STORE_OPEN_UPLOADS_PER_ACTOR", { otherwise: 1_000 }),
    },
    events: {
      ...defaultEventLimits,
      subscribers: read.integer("STORE_MAX_SUBSCRIBERS", {
        otherwise: defaultEventLimits.subscribers,
      }),
    },
    http: readHttpSettings(read),
    workers: given.workers ?? read.integer("STORE_WORKERS", { otherwise: 1, least: 1, most: 256 }),
    log: {
      form: read.oneOf("STORE_LOG", ["text", "json"]),
      level: read.oneOf("STORE_LOG_LEVEL", ["info", "error"]),
    },
  };
}

const minuteMs = 60_000;

function readAccessSettings(read: SettingReader): AccessSettings {
  const failures = (name: keyof typeof settingNames, otherwise: number): number =>
    read.integer(name, { otherwise, least: 1, most: 1_000_000 });
  return {
    anonymousRead: read.flag("STORE_ANONYMOUS_READ"),
    accessTokenMs: read.seconds("STORE_ACCESS_TOKEN_SECONDS", 15 * 60),
    refreshTokenMs: read.seconds("STORE_REFRESH_TOKEN_SECONDS", 30 * 24 * 60 * 60),
    clockSkewMs: read.seconds("STORE_CLOCK_SKEW_SECONDS", 30),
    limits: {
      loginByAddress: {
        failures: failures("STORE_LOGIN_FAILURES_PER_ADDRESS", 30),
        withinMs: 10 * minuteMs,
      },
      loginByAccount: {
        failures: failures("STORE_LOGIN_FAILURES_PER_ACCOUNT", 10),
        withinMs: 10 * minuteMs,
      },
      tokenByAddress: {
        failures: failures("STORE_TOKEN_FAILURES_PER_ADDRESS", 100),
        withinMs: minuteMs,
      },
      changesByUser: { failures: failures("STORE_CHANGES_PER_USER", 600), withinMs: 10 * minuteMs },
    },
  };
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run as a user id that no account has.
    return `uid-${process.getuid?.() ?? "unknown"}`;
  }
}
