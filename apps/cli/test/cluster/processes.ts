import { startProgram } from "../load/processes.ts";
import type { RoamingReport, SubscriberReport } from "./reports.ts";

export interface RoamingClientsOptions {
  readonly urls: readonly string[];
  readonly token: string;
  /** The clients of several processes have names of their own. */
  readonly name: string;
  readonly clients: number;
  /** At the latest they stop after so long. */
  readonly seconds: number;
  readonly seed: number;
}

export interface SubscribersOptions {
  readonly urls: readonly string[];
  readonly token: string;
  readonly subscribers: number;
  /** They begin after this event. */
  readonly since: number;
  readonly seed: number;
}

/** Starts clients in so many processes; `stop` lets them finish what they do. */
export function startRoamingClients(
  processes: number,
  options: Omit<RoamingClientsOptions, "name">,
): { stop(): Promise<RoamingReport[]> } {
  const clients = Math.ceil(options.clients / processes);
  const started = Array.from({ length: processes }, (_, index) => {
    const seed = options.seed + index;
    return startProgram("roaming-clients.ts", { ...options, clients, seed, name: `p${seed}` });
  });
  const reports = Promise.all(
    started.map(async ({ output }) => JSON.parse(await output) as RoamingReport),
  );
  reports.catch(() => undefined);
  return {
    stop: async () => {
      for (const { child } of started) child.stdin.end();
      return await reports;
    },
  };
}

/** Starts subscribers in a process of their own, which read until they are told where to end. */
export function startSubscribers(options: SubscribersOptions): {
  readUntil(seq: number): Promise<SubscriberReport[]>;
} {
  const { child, output } = startProgram("subscribers.ts", options);
  output.catch(() => undefined);
  return {
    readUntil: async (seq) => {
      child.stdin.end(`${seq}\n`);
      return JSON.parse(await output) as SubscriberReport[];
    },
  };
}
