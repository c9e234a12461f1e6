import cluster from "node:cluster";
import { randomUUID } from "node:crypto";

import { StoreError } from "@store/identity";
import { AggregatorRegistry, type Registry as Metrics } from "prom-client";

/** How long a worker waits for what all of them have measured. */
const patienceMs = 10_000;

interface MetricsRequest {
  readonly type: "store:metrics?";
  readonly id: string;
}

interface MetricsAnswer {
  readonly type: "store:metrics";
  readonly id: string;
  /** Absent where they could not be gathered. */
  readonly text?: string;
}

/** In the process that started the workers: adds up what they measured, for the one that asks. */
export function answerForWorkers(): void {
  const aggregator = new AggregatorRegistry();
  cluster.on("message", (worker, message: unknown) => {
    if (!isOfType(message, "store:metrics?")) return;
    const { id } = message as MetricsRequest;
    const answer = (text?: string): void => {
      const reply: MetricsAnswer = { type: "store:metrics", id, ...(text ? { text } : {}) };
      if (worker.isConnected()) worker.send(reply);
    };
    aggregator.clusterMetrics().then(answer, () => answer());
  });
}

/**
 * In a worker: what all workers measured together.
 *
 * @throws {StoreError} `internal` where they did not all answer in time
 */
export function workersMetrics(own: Metrics): () => Promise<string> {
  // It listens for the questions of the process that started this one.
  void new AggregatorRegistry();
  AggregatorRegistry.setRegistries(own);
  return async () => {
    const id = randomUUID();
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const timer = setTimeout(() => reject(notGathered()), patienceMs);
    const onMessage = (message: unknown): void => {
      if (!isOfType(message, "store:metrics") || (message as MetricsAnswer).id !== id) return;
      const { text } = message as MetricsAnswer;
      if (text === undefined) reject(notGathered());
      else resolve(text);
    };
    process.on("message", onMessage);
    process.send?.({ type: "store:metrics?", id } satisfies MetricsRequest);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      process.off("message", onMessage);
    }
  };
}

function isOfType(message: unknown, type: string): boolean {
  return typeof message === "object" && message !== null && "type" in message
    ? message.type === type
    : false;
}

function notGathered(): StoreError {
  return new StoreError("internal", "The workers did not all say what they measured; ask again.");
}
