import { setTimeout as sleep } from "node:timers/promises";

import type { PostgresServer } from "@store/testing/postgres";

import type { S3DoubleProcess } from "@store/testing/s3-double-process";

import { randomOf } from "../load/contents.ts";
import type { Cluster } from "./cluster.ts";

export interface ChaosOptions {
  readonly cluster: Cluster;
  readonly postgres: PostgresServer;
  /** A store of objects whose faults can be chosen. */
  readonly double: S3DoubleProcess | undefined;
  readonly ms: number;
  readonly seed: number;
}

/** What passes when a request is made again. */
const faults = [
  { effect: "answer", code: "SlowDown" },
  { effect: "answer", code: "InternalError" },
  { effect: "lose-answer" },
  { effect: "reset-request", afterBytes: 100 },
  { effect: "reset-answer", afterBytes: 100 },
  {
    effect: "error-in-body",
    code: "InternalError",
    operation: ["CompleteMultipartUpload", "UploadPartCopy"],
  },
] as const;

/**
 * Ends servers at random and starts them again, so that one at least runs but for moments, and
 * PostgreSQL twice: once as a crash does, once in order. The store of objects meanwhile fails some
 * requests, each of which succeeds when it is made again. Returns when all are there again.
 */
export async function wreak({ cluster, postgres, double, ms, seed }: ChaosOptions): Promise<void> {
  const random = randomOf(seed);
  const begun = performance.now();
  const passed = () => (performance.now() - begun) / ms;
  const returning: Promise<void>[] = [];
  const outages = [
    { after: 0.3, how: "at once" },
    { after: 0.65, how: "in order" },
  ] as const;
  let outage = 0;
  let ends = 0;
  while (passed() < 1) {
    await sleep(300 + random() * 1500);
    const fault = faults[Math.floor(random() * faults.length)] ?? faults[0];
    await double?.addFault({ ...fault, skip: Math.floor(random() * 20) });
    const next = outages[outage];
    if (next !== undefined && passed() > next.after) {
      outage += 1;
      await postgres.end(next.how);
      await sleep(500 + random() * 2000);
      await postgres.startAgain();
      continue;
    }
    const running = cluster.running();
    const index = running[Math.floor(random() * running.length)];
    if (index === undefined || running.length < 2) continue;
    const signal = (ends += 1) % 2 === 0 ? "SIGTERM" : "SIGKILL";
    const awayMs = random() * 1000;
    const again = cluster.end(index, signal).then(async () => {
      await sleep(awayMs);
      await cluster.start(index);
    });
    again.catch(() => undefined);
    returning.push(again);
  }
  await Promise.all(returning);
  await double?.clearFaults();
}
