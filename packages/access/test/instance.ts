import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import {
  localPrincipal,
  openAccess,
  type Access,
  type OpenAccessOptions,
  type Principal,
} from "@store/access";
import { openDatabase, type Database } from "@store/database";
import { openLog, type EventLog, type StoredEvent } from "@store/events";
import { isStoreError } from "@store/identity";
import { decodeCbor } from "@store/manifest";
import { openRegistry, type Registry } from "@store/registry";
import { createMemoryBackend } from "@store/storage/memory";
import { createTestDatabase } from "@store/testing/postgres";

export type Dialect = "sqlite" | "postgres";
export const dialects: readonly Dialect[] = ["sqlite", "postgres"];

export const here = { address: "192.0.2.1" };
export const password = "tulip kettle orbit";
export const operator = localPrincipal("local:tester");

/** Accounts over a real database, with a clock that a test moves. */
export interface TestAccess extends AsyncDisposable {
  readonly access: Access;
  readonly registry: Registry;
  readonly log: EventLog;
  readonly database: Database;
  advance(ms: number): void;
  now(): number;
  /** The accounts as another process of the same instance has them. */
  apart(options?: Partial<OpenAccessOptions>): Promise<Access>;
  /** A user with this name and {@link password}. */
  user(username: string, ...scopes: string[]): Promise<Principal>;
  /** Whom a credential stands for. */
  as(credential: string, access?: Access): Promise<Principal>;
}

const start = Date.parse("2026-01-02T03:04:05.678Z");

export async function openTestAccess(
  dialect: Dialect,
  options: Partial<OpenAccessOptions> = {},
): Promise<TestAccess> {
  const place = await databasePlace(dialect);
  let now = start;
  const clock = () => now;
  const closing = new AsyncDisposableStack();
  closing.defer(() => place.remove());
  const open = async (more: Partial<OpenAccessOptions> = {}) => {
    const database = await openDatabase(place.url);
    closing.defer(() => database.close());
    if ((await database.schemaVersion()) === 0) await database.migrate();
    const log = await openLog(database, { clock });
    const primary = createMemoryBackend();
    const registry = await openRegistry({
      database,
      log,
      clock,
      backends: { primary },
      actor: "tester",
    });
    closing.defer(() => registry.close());
    const access = await openAccess({ log, clock, ...options, ...more });
    closing.defer(() => access.close());
    return { access, registry, log, database };
  };
  const opened = await open();
  const as = (credential: string, access: Access = opened.access) =>
    access.authenticate(`Bearer ${credential}`, here);
  return {
    ...opened,
    advance: (ms) => {
      now += ms;
    },
    now: clock,
    apart: async (more) => (await open(more)).access,
    user: async (username, ...scopes) => {
      await opened.access.createUser(operator, { username, password, scopes });
      const { accessToken } = await opened.access.login({ username, password }, here);
      return await as(accessToken);
    },
    as,
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

async function databasePlace(dialect: Dialect) {
  if (dialect === "postgres") {
    const { url, drop } = await createTestDatabase();
    return { url, remove: drop };
  }
  const folder = await mkdtemp(join(tmpdir(), "store-access-"));
  const remove = () => rm(folder, { recursive: true, force: true });
  return { url: `sqlite:${join(folder, "store.db")}`, remove };
}

/** The code of the error that a promise is refused with. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (isStoreError(error)) return error.code;
    throw error;
  }
  return "nothing thrown";
}

/** The events about accounts, decoded. */
export async function accountEvents(log: EventLog) {
  const events = await log.read({ after: 0, limit: 1_000 });
  return events.filter(isAboutAccounts).map(({ type, actor, subject, payload }) => ({
    type,
    actor,
    subject,
    payload: decodeCbor(payload),
  }));
}

function isAboutAccounts({ type }: StoredEvent): boolean {
  return /^v1\.(user|session|token|key)\./.test(type);
}
