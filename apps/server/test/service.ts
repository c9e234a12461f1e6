import { anonymousPrincipal, localPrincipal, parseScope, type Access } from "@store/access";
import type { Principal, Refusal } from "@store/access";
import { StoreError } from "@store/identity";
import type { Registry } from "@store/registry";
import { startServer, type RunningServer, type ServerOptions } from "@store/server";
import { readSettings } from "@store/server/runtime";

import type { HttpLimits } from "../src/lib/http/limits.ts";
import type { AnsweredRequest } from "../src/lib/http/serving.ts";
import { openTestRegistry } from "./instance.ts";

/** Accounts that know a few tokens by heart, so that a test shows who calls by its token. */
export function testAccess(options: { readonly anonymousRead?: boolean } = {}) {
  const refusals: Refusal[] = [];
  const principals: Readonly<Record<string, Principal>> = {
    owner: localPrincipal("owner"),
    reader: token("reader", "read:acme/*"),
    writer: token("writer", "write:acme/*"),
    watcher: token("watcher", "metrics"),
  };
  const access: Pick<Access, "authenticate" | "recordRefusal" | "sweep"> = {
    authenticate: async (authorization) => {
      if (authorization === undefined) return anonymousPrincipal(options.anonymousRead === true);
      if (authorization === "Bearer many") {
        throw new StoreError("rate_limited", "Too many failures.", { context: { limit: 42 } });
      }
      const found = principals[authorization.replace("Bearer ", "")];
      if (found !== undefined) return found;
      throw new StoreError("unauthenticated", "The token is not accepted.");
    },
    recordRefusal: (refusal) => void refusals.push(refusal),
    sweep: async () => ({ sessionsRemoved: 0, tokensRemoved: 0, keysRemoved: 0 }),
  };
  // Nothing else of the accounts is asked for by what these tests are about.
  return { access: access as Access, refusals };
}

function token(name: string, ...scopes: readonly string[]): Principal {
  return { actor: `token:${name}`, kind: "token", scopes: scopes.map((text) => parseScope(text)) };
}

export interface TestServer extends RunningServer, AsyncDisposable {
  readonly port: number;
  readonly registry: Registry;
  readonly refusals: readonly Refusal[];
  readonly answered: readonly AnsweredRequest[];
  readonly failures: readonly unknown[];
  /** Calls as somebody: `owner`, `reader`, `writer`, `watcher`, or any text that is no token. */
  call(as: string | undefined, target: string, init?: RequestInit): Promise<Response>;
}

export interface TestServerOptions {
  readonly registry?: Registry;
  readonly limits?: Partial<HttpLimits>;
  readonly environment?: Readonly<Record<string, string>>;
  readonly anonymousRead?: boolean;
  readonly drainMs?: number;
  readonly metricsText?: () => Promise<string>;
}

/** Metrics that are a text, and count nothing. */
function metricsOf(text: () => Promise<string>) {
  return { text, fileAdded: () => {} };
}

/** A server on a free port, over a registry in memory. */
export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const registry = options.registry ?? (await openTestRegistry());
  const { access, refusals } = testAccess(options);
  const answered: AnsweredRequest[] = [];
  const failures: unknown[] = [];
  const settings = readSettings({ host: "127.0.0.1", port: 0 }, { ...options.environment });
  const limits = { ...settings.http.limits, ...options.limits };
  const { metricsText, drainMs = settings.http.drainMs } = options;
  const metrics = metricsText === undefined ? {} : { metrics: metricsOf(metricsText) };
  const serverOptions: ServerOptions = {
    service: { registry, access, ...metrics },
    settings: { ...settings, http: { ...settings.http, limits, drainMs } },
    log: { info: () => {}, error: (_, error) => void failures.push(error) },
    onAnswered: (request) => void answered.push(request),
  };
  const server = await startServer(serverOptions);
  return {
    ...server,
    port: Number(new URL(server.url).port),
    registry,
    refusals,
    answered,
    failures,
    call: async (as, target, init = {}) => {
      const headers = new Headers(init.headers);
      if (as !== undefined) headers.set("authorization", `Bearer ${as}`);
      return await fetch(`${server.url}${target}`, { ...init, headers });
    },
    [Symbol.asyncDispose]: async () => {
      await server.close();
      if (options.registry === undefined) await registry.close();
    },
  };
}
