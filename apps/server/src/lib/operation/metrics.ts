import cluster from "node:cluster";

import type { Access } from "@store/access";
import type { CommitReport, Database } from "@store/database";
import type { Registry } from "@store/registry";
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry as Metrics } from "prom-client";

import type { AnsweredRequest } from "../http/serving.ts";
import { measureCopies } from "./copy-metrics.ts";
import type { EventFollowers } from "./event-followers.ts";
import { workersMetrics } from "./worker-metrics.ts";

/** What is measured when somebody asks, since it is a state and no happening. */
export interface MeasuredInstance {
  readonly registry: Pick<Registry, "countOpenUploads" | "head" | "health" | "listBackends">;
  readonly access: Pick<Access, "counts">;
  readonly database: Database;
  readonly followers: EventFollowers;
}

/** The metrics of one process, in the words of Prometheus: base units, and `_total` for counts. */
export class ServerMetrics {
  readonly registry = new Metrics();
  readonly #requests: Counter<"operation" | "method" | "status" | "code">;
  readonly #seconds: Histogram<"operation">;
  readonly #received: Counter<"operation">;
  readonly #sent: Counter<"operation">;
  readonly #files: Counter<"result">;
  readonly #fileBytes: Counter<"result">;
  readonly #commits: Histogram;
  readonly #commitSeconds: Histogram;
  readonly #ofAll: (() => Promise<string>) | undefined;

  constructor() {
    const registers = [this.registry];
    collectDefaultMetrics({ register: this.registry });
    if (cluster.isWorker) this.#ofAll = workersMetrics(this.registry);
    this.#requests = new Counter({
      name: "store_http_requests_total",
      help: "Requests that were answered, by operation, method, status and error code.",
      labelNames: ["operation", "method", "status", "code"],
      registers,
    });
    this.#seconds = new Histogram({
      name: "store_http_request_duration_seconds",
      help: "From a request's arrival to the end of its answer.",
      labelNames: ["operation"],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600],
      registers,
    });
    this.#received = new Counter({
      name: "store_http_received_bytes_total",
      help: "Bytes of requests' bodies.",
      labelNames: ["operation"],
      registers,
    });
    this.#sent = new Counter({
      name: "store_http_sent_bytes_total",
      help: "Bytes of answers' bodies.",
      labelNames: ["operation"],
      registers,
    });
    this.#files = new Counter({
      name: "store_files_added_total",
      help: "Files that were added to packages, by whether their object was stored or known.",
      labelNames: ["result"],
      registers,
    });
    this.#fileBytes = new Counter({
      name: "store_files_added_bytes_total",
      help: "Bytes of files that were added, by whether their object was stored or known.",
      labelNames: ["result"],
      registers,
    });
    this.#commits = new Histogram({
      name: "store_database_commit_commands",
      help: "Commands that one commit made durable together.",
      buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256],
      registers,
    });
    this.#commitSeconds = new Histogram({
      name: "store_database_commit_duration_seconds",
      help: "From taking the database's lock to being durable.",
      buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 10],
      registers,
    });
  }

  readonly answered = (request: AnsweredRequest): void => {
    const operation = request.operation ?? "none";
    const { method, status, code = "" } = request;
    this.#requests.inc({ operation, method: knownMethod(method), status, code });
    this.#seconds.observe({ operation }, request.durationMs / 1_000);
    this.#received.inc({ operation }, request.receivedBytes);
    this.#sent.inc({ operation }, request.sentBytes);
  };

  readonly fileAdded = (file: { deduplicated: boolean; sizeBytes: number }): void => {
    const result = file.deduplicated ? "known" : "stored";
    this.#files.inc({ result });
    this.#fileBytes.inc({ result }, file.sizeBytes);
  };

  readonly committed = ({ commands, durationMs }: CommitReport): void => {
    this.#commits.observe(commands);
    this.#commitSeconds.observe(durationMs / 1_000);
  };

  /**
   * Measures an instance whenever the metrics are asked for. Of several workers, what they share
   * is told once, and what each has is added up.
   */
  observe({ registry, access, database, followers }: MeasuredInstance): void {
    const logSize = async (): Promise<number> => (await registry.head()).size;
    const shared = (name: string, help: string, read: () => Promise<number>): void =>
      this.#gauge(name, help, read, "max");
    const own = (name: string, help: string, read: () => number): void =>
      this.#gauge(name, help, async () => read(), "sum");
    shared("store_log_events", "Events in the log.", logSize);
    shared("store_uploads_open", "Resumable uploads that are not complete.", () =>
      registry.countOpenUploads(),
    );
    shared("store_event_lag", "Events that the slowest subscriber is behind the log.", async () =>
      followers.lag(await logSize()),
    );
    this.#freeSpace(registry);
    measureCopies(this.registry, registry);
    own("store_event_subscribers", "Subscribers of the log.", () => followers.count);
    own(
      "store_database_queued_commands",
      "Commands that wait for a commit.",
      () => database.queued,
    );
    this.#count(
      "store_access_refusals_dropped_total",
      "Refused requests that came too fast to be recorded.",
      () => access.counts().refusalsDropped,
    );
    own(
      "store_access_passwords_pending",
      "Passwords that are being hashed or wait for it.",
      () => access.counts().passwordsPending,
    );
    this.#count(
      "store_access_rate_limited_total",
      "Attempts that were refused for their number.",
      () => access.counts().rateLimited,
    );
  }

  /** Of each place for objects that says how much it has left. */
  #freeSpace(registry: Pick<Registry, "health">): void {
    const gauge = new Gauge({
      name: "store_storage_free_bytes",
      help: "Bytes that are free where objects are kept, by the place's role.",
      labelNames: ["role"],
      aggregator: "min",
      registers: [this.registry],
      collect: async () => {
        gauge.reset();
        const { backends } = await registry.health().catch(() => ({ backends: {} }) as const);
        for (const [role, { freeBytes }] of Object.entries(backends)) {
          if (freeBytes !== undefined) gauge.set({ role }, freeBytes);
        }
      },
    });
  }

  /** Of all workers, where this is one of several. */
  async text(): Promise<string> {
    return await (this.#ofAll === undefined ? this.registry.metrics() : this.#ofAll());
  }

  /** What another part counts from the start of the process. */
  #count(name: string, help: string, read: () => number): void {
    const counter = new Counter({
      name,
      help,
      registers: [this.registry],
      collect: () => {
        counter.reset();
        counter.inc(read());
      },
    });
  }

  /** A value that cannot be read now is left out, so that the others are seen. */
  #gauge(name: string, help: string, read: () => Promise<number>, workers: "max" | "sum"): void {
    const gauge = new Gauge({
      name,
      help,
      aggregator: workers,
      registers: [this.registry],
      collect: async () => {
        try {
          gauge.set(await read());
        } catch {
          gauge.reset();
        }
      },
    });
  }
}

const methods = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

/** A caller may invent methods, and must not make series with them. */
function knownMethod(method: string): string {
  return methods.has(method) ? method : "other";
}
