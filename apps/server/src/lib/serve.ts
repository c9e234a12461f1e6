import { openInstance } from "./instance.ts";
import type { Log } from "./log.ts";
import { startServer } from "./server.ts";
import type { Settings } from "./settings.ts";

export interface ServeOptions {
  readonly settings: Settings;
  /** Ends the server once aborted. */
  readonly signal: AbortSignal;
  readonly log: Log;
  /** Called once, when the server listens. */
  readonly onListening: (url: string) => Promise<void>;
}

/**
 * Opens the instance, making it where there is none, and serves it until the signal is aborted:
 * then accepts nothing more, lets requests end, and closes the instance.
 */
export async function serve(options: ServeOptions): Promise<void> {
  const { settings, signal, log, onListening } = options;
  const instance = await openInstance(settings, { create: true });
  try {
    const { host, port } = settings;
    const server = await startServer({ registry: instance.registry, host, port, log });
    try {
      await onListening(server.url);
      await aborted(signal);
    } finally {
      await server.close();
    }
  } finally {
    await instance.close();
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => resolve(), { once: true });
  await promise;
}
