import { localPrincipal, openAccess, type Access, type OpenAccessOptions } from "@store/access";
import { openDatabase, type Database } from "@store/database";
import { openLog } from "@store/events";
import type { ContentAddress } from "@store/identity";
import { openRegistry, type Registry } from "@store/registry";
import { createMemoryBackend } from "@store/storage/memory";
import { startServer } from "@store/server";
import { readSettings, type Settings } from "@store/server/runtime";

import type { ServiceMetrics } from "../src/lib/http/handler.ts";
import { createColdStorage } from "./cold-storage.ts";

/** A server over an instance in memory, with its real accounts. */
export interface WholeServer extends AsyncDisposable {
  readonly url: string;
  readonly registry: Registry;
  readonly access: Access;
  readonly database: Database;
  /** Puts an object into the archive of the primary backend; beside that there is `spare`. */
  archive(address: ContentAddress): void;
  /** What was logged as an error. */
  readonly failures: readonly unknown[];
  /** An API token of a new user with these scopes. */
  tokenFor(...scopes: readonly string[]): Promise<string>;
  /** Sends a request with a token; `body` is sent as JSON. */
  request(
    method: string,
    path: string,
    options?: {
      readonly token?: string | undefined;
      readonly body?: unknown;
      readonly headers?: Readonly<Record<string, string>>;
      readonly signal?: AbortSignal;
    },
  ): Promise<Response>;
}

export async function openWholeServer(
  options: {
    readonly access?: Partial<OpenAccessOptions>;
    readonly settings?: Partial<Settings>;
    readonly databaseUrl?: string;
    readonly metrics?: ServiceMetrics;
  } = {},
): Promise<WholeServer> {
  const database = await openDatabase(options.databaseUrl ?? "sqlite::memory:");
  await database.migrate();
  const log = await openLog(database);
  const storage = createColdStorage();
  const backends = { primary: storage.backend, spare: createMemoryBackend() };
  const registry = await openRegistry({ database, log, backends, actor: "operator" });
  const access = await openAccess({ log, ...options.access });
  const settings = { ...readSettings({ port: 0 }, {}), ...options.settings };
  const { metrics } = options;
  const failures: unknown[] = [];
  const server = await startServer({
    service: { registry, access, ...(metrics === undefined ? {} : { metrics }) },
    settings,
    log: { info: () => {}, error: (_, error) => void failures.push(error) },
  });
  const operator = localPrincipal("operator");
  let users = 0;
  return {
    url: server.url,
    registry,
    access,
    database,
    archive: storage.archive,
    failures,
    tokenFor: async (...scopes) => {
      users += 1;
      const username = `user-${users}`;
      await access.createUser(operator, { username, password: passwordOf(username), scopes });
      const { token } = await access.createToken(operator, { name: "test", owner: username });
      return token;
    },
    request: (method, path, { token, body, headers, signal } = {}) =>
      fetch(server.url + path, {
        method,
        redirect: "manual",
        headers: {
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...(signal === undefined ? {} : { signal }),
      }),
    [Symbol.asyncDispose]: async () => {
      await server.close();
      await access.close();
      await registry.close();
      await database.close();
      await backends.primary.close();
      await backends.spare.close();
    },
  };
}

/** The password of a user that {@link WholeServer.tokenFor} made. */
export function passwordOf(username: string): string {
  return `${username} has a horse of brass`;
}
