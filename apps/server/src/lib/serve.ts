import cluster from "node:cluster";

import { localPrincipal, type Access } from "@store/access";

import { startBackgroundWork } from "./background/background-work.ts";
import { openInstance } from "./instance.ts";
import type { Log } from "./log.ts";
import { EventFollowers } from "./operation/event-followers.ts";
import { ServerMetrics } from "./operation/metrics.ts";
import { logRequests } from "./operation/request-log.ts";
import { openTracing } from "./operation/tracing.ts";
import { joinWorkers, runWorkers } from "./operation/workers.ts";
import { startServer } from "./server.ts";
import type { Settings } from "./settings.ts";

export interface ServeOptions {
  readonly settings: Settings;
  /** Ends the server once aborted. */
  readonly signal: AbortSignal;
  readonly log: Log;
  /** Called once, when the server listens. */
  readonly onListening: (listening: Listening) => Promise<void>;
}

export interface Listening {
  /** Where it listens, e.g. `http://127.0.0.1:8000`. */
  readonly url: string;
  /** Whether anybody has an account. */
  readonly hasUsers: boolean;
  /** What makes the first user, on the first start of an empty instance. **A secret.** */
  readonly setupToken?: string;
}

/**
 * Opens the instance, making it where there is none, and serves it until the signal is aborted:
 * then accepts nothing more, lets requests end, and closes the instance. With several workers this
 * process makes the instance, and starts the same program for each of them.
 */
export async function serve(options: ServeOptions): Promise<void> {
  if (cluster.isWorker) return serveAsWorker(options);
  if (options.settings.workers > 1) return serveByWorkers(options);
  return serveInstance(options);
}

async function serveByWorkers({ settings, signal, log, onListening }: ServeOptions): Promise<void> {
  const prepared = await prepareInstance(settings);
  await runWorkers({
    workers: settings.workers,
    signal,
    log,
    onListening: (url) => onListening({ url, ...prepared }),
  });
}

/** What only one process should do, before the workers open the instance. */
async function prepareInstance(settings: Settings): Promise<FirstUser> {
  const instance = await openInstance(settings, { create: true });
  try {
    return await firstUser(await instance.access(), settings);
  } finally {
    await instance.close();
  }
}

type FirstUser = Omit<Listening, "url">;

async function firstUser(access: Access, { actor }: Settings): Promise<FirstUser> {
  const setupToken = await access.setupToken();
  if (setupToken !== undefined) return { hasUsers: false, setupToken };
  const { items } = await access.listUsers(localPrincipal(actor), { limit: 1 });
  return { hasUsers: items.length > 0 };
}

async function serveAsWorker(options: ServeOptions): Promise<void> {
  const membership = joinWorkers();
  await serveInstance({
    ...options,
    signal: AbortSignal.any([options.signal, membership.signal]),
    onListening: async ({ url }) => membership.listens(url),
  });
  membership.leave();
}

async function serveInstance({ settings, signal, log, onListening }: ServeOptions): Promise<void> {
  const metrics = new ServerMetrics();
  const tracing = await openTracing();
  const instance = await openInstance(settings, { create: true, onCommit: metrics.committed });
  try {
    const { registry, database } = instance;
    const access = await instance.access();
    const followers = new EventFollowers();
    metrics.observe({ registry, access, database, followers });
    const logRequest = logRequests(log);
    const server = await startServer({
      service: { registry, access, metrics, followers },
      settings,
      log,
      onAnswered: (request) => {
        metrics.answered(request);
        logRequest(request);
        tracing?.answered(request);
      },
    });
    const background = startBackgroundWork({ database, registry, access, log });
    try {
      // The process that starts the workers has asked already.
      const first = cluster.isWorker ? { hasUsers: true } : await firstUser(access, settings);
      await onListening({ url: server.url, ...first });
      await aborted(signal);
    } finally {
      await Promise.all([server.close(), background.stop()]);
    }
  } finally {
    await instance.close();
    await tracing?.close();
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => resolve(), { once: true });
  await promise;
}
