import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";

import { localPrincipal, openAccess } from "@store/access";
import { openDatabase } from "@store/database";
import { openLog } from "@store/events";
import { StoreError } from "@store/identity";
import { openRegistry } from "@store/registry";
import { createMemoryBackend } from "@store/storage/memory";
import { startServer } from "@store/server";
import { readSettings } from "@store/server/runtime";
import { describe, expect, it } from "vitest";

import type { AnsweredRequest } from "../src/lib/http/serving.ts";
import { EventFollowers } from "../src/lib/operation/event-followers.ts";
import { createJsonLog } from "../src/lib/operation/json-log.ts";
import { ServerMetrics } from "../src/lib/operation/metrics.ts";
import { logRequests } from "../src/lib/operation/request-log.ts";
import { createTextLog } from "../src/lib/operation/text-log.ts";
import { openTracing } from "../src/lib/operation/tracing.ts";

const answered: AnsweredRequest = {
  requestId: "b3f1",
  operation: "getPackage",
  method: "GET",
  path: "/api/v1/packages/1",
  address: "192.0.2.1",
  actor: "user:ada",
  status: 404,
  code: "package_not_found",
  durationMs: 12.345,
  receivedBytes: 0,
  sentBytes: 321,
  outcome: "whole",
};

/** The lines of a log, as JSON. */
function jsonLines() {
  const lines: string[] = [];
  return {
    write: (line: string) => void lines.push(line),
    read: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>),
  };
}

describe("the log for machines", () => {
  it("has one line of JSON for a request, with its id, its error code and who asked", () => {
    const lines = jsonLines();
    logRequests(createJsonLog("info", lines))(answered);
    expect(lines.read()).toEqual([
      {
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        level: "info",
        pid: process.pid,
        message: "GET /api/v1/packages/1",
        status: 404,
        operation: "getPackage",
        code: "package_not_found",
        duration_ms: 12.3,
        received_bytes: 0,
        sent_bytes: 321,
        actor: "user:ada",
        address: "192.0.2.1",
        request_id: "b3f1",
      },
    ]);
  });

  it("tells an error with its code, its stack and its causes", () => {
    const lines = jsonLines();
    const cause = new Error("the disk is gone");
    const error = new StoreError("storage_unavailable", "Cannot write.", {
      cause,
      context: { path: "objects" },
    });
    createJsonLog("error", lines).error("PUT / failed", error, { request_id: "b3f1" });
    expect(lines.read()).toMatchObject([
      {
        level: "error",
        message: "PUT / failed",
        request_id: "b3f1",
        error: {
          code: "storage_unavailable",
          message: "Cannot write.",
          context: { path: "objects" },
          stack: expect.stringContaining("StoreError: Cannot write."),
          cause: { message: "the disk is gone" },
        },
      },
    ]);
  });

  it("says nothing of requests where only errors are asked for", () => {
    const lines = jsonLines();
    logRequests(createJsonLog("error", lines))(answered);
    const text: string[] = [];
    logRequests(createTextLog("error", (line) => void text.push(line)))(answered);
    expect([lines.read(), text]).toEqual([[], []]);
  });

  it("leaves probes out unless they fail", () => {
    const text: string[] = [];
    const log = logRequests(createTextLog("info", (line) => void text.push(line)));
    log({ ...answered, operation: "getReadiness", path: "/health/ready", status: 200 });
    expect(text).toEqual([]);
    log({ ...answered, operation: "getReadiness", path: "/health/ready", status: 503 });
    expect(text).toEqual([expect.stringContaining("GET /health/ready status=503")]);
  });
});

describe("the metrics", () => {
  it("count requests, bytes, files, commits and what the instance is like", async () => {
    const metrics = new ServerMetrics();
    const database = await openDatabase("sqlite::memory:", { onCommit: metrics.committed });
    await database.migrate();
    const log = await openLog(database);
    const primary = createMemoryBackend();
    const registry = await openRegistry({ database, log, backends: { primary }, actor: "ada" });
    const access = await openAccess({ log });
    const followers = new EventFollowers();
    metrics.observe({ registry, access, database, followers });
    const settings = readSettings({ port: 0 }, {});
    const service = { registry, access, metrics, followers };
    const server = await startServer({ service, settings, onAnswered: metrics.answered });
    try {
      const operator = localPrincipal("ada");
      const password = "a horse of brass and glass";
      const scopes = ["admin:*", "metrics"];
      await access.createUser(operator, { username: "ada", password, scopes });
      const { token } = await access.createToken(operator, { name: "t", owner: "ada" });
      const headers = { authorization: `Bearer ${token}` };
      const pkg = await registry.createPackage({ namespace: "acme", name: "app", version: "1" });
      for (const path of ["a", "b"]) {
        const url = `${server.url}/api/v1/packages/${pkg.id}/files/${path}`;
        const put = await fetch(url, { method: "PUT", headers, body: "the same" });
        expect(put.status).toBe(201);
      }
      await registry.createUpload({ sizeBytes: 5 });
      await fetch(`${server.url}/nothing/here`);

      const response = await fetch(`${server.url}/metrics`, { headers });
      const text = await response.text();
      const { size } = await registry.head();
      for (const line of [
        'store_http_requests_total{operation="putFile",method="PUT",status="201",code=""} 2',
        'store_http_requests_total{operation="none",method="GET",status="404",code="route_not_found"} 1',
        'store_http_received_bytes_total{operation="putFile"} 16',
        'store_http_request_duration_seconds_count{operation="putFile"} 2',
        'store_files_added_total{result="stored"} 1',
        'store_files_added_total{result="known"} 1',
        'store_files_added_bytes_total{result="known"} 8',
        "store_uploads_open 1",
        `store_log_events ${size}`,
        "store_event_lag 0",
        "store_event_subscribers 0",
        "store_database_queued_commands 0",
        'store_copies_damaged{backend="primary"} 0',
        'store_backend_failed{backend="primary"} 0',
        "store_access_passwords_pending 0",
      ]) {
        expect(text.split("\n")).toContain(line);
      }
      expect(text).toMatch(/^store_database_commit_commands_count [1-9]/m);
      expect(text).toMatch(/^# TYPE store_storage_free_bytes gauge$/m);
      expect(text).toMatch(/^process_resident_memory_bytes /m);
    } finally {
      await server.close();
      await access.close();
      await registry.close();
      await database.close();
    }
  });

  it("do not grow with the methods that callers invent", async () => {
    const metrics = new ServerMetrics();
    for (const method of ["BREW", "WHEN", "GET"]) metrics.answered({ ...answered, method });
    const text = await metrics.text();
    expect(text).toContain('method="other"');
    expect(text).not.toMatch(/BREW|WHEN/);
  });
});

describe("followers of the log", () => {
  it("lag by the event that they have not taken yet", async () => {
    const followers = new EventFollowers();
    const log = async function* () {
      yield { seq: 3 };
      yield { seq: 4 };
    };
    const events = followers.enter("ada").follow(log());
    expect([followers.count, followers.countOf("ada"), followers.lag(10)]).toEqual([1, 1, 0]);
    await events.next();
    expect([followers.count, followers.lag(10)]).toEqual([1, 7]);
    await events.next();
    expect(followers.lag(10)).toBe(6);
    await events.next();
    expect([followers.count, followers.lag(10)]).toEqual([0, 0]);
  });
});

describe("traces", () => {
  it("are sent to where OpenTelemetry's variables say, below the caller's span", async () => {
    const bodies: string[] = [];
    const collector = createServer((request, response) => {
      const chunks: Uint8Array[] = [];
      request.on("data", (chunk: Uint8Array) => void chunks.push(chunk));
      request.on("end", () => {
        bodies.push(`${request.url} ${Buffer.concat(chunks).toString()}`);
        response.setHeader("content-type", "application/json").end("{}");
      });
    });
    collector.listen(0, "127.0.0.1");
    await once(collector, "listening");
    const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
    process.env.OTEL_EXPORTER_OTLP_ENDPOINT = endpoint;
    process.env.OTEL_RESOURCE_ATTRIBUTES = "deployment.environment.name=testing";
    try {
      const tracing = await openTracing();
      const traceId = "0af7651916cd43dd8448eb211c80319c";
      tracing?.answered({ ...answered, traceParent: `00-${traceId}-b7ad6b7169203331-01` });
      tracing?.answered({ ...answered, traceParent: "nonsense" });
      await tracing?.close();
      const [sent] = bodies;
      expect(sent).toContain("/v1/traces");
      expect(sent).toContain('"name":"GET getPackage"');
      expect(sent).toContain('"service.name","value":{"stringValue":"store"}');
      expect(sent).toContain('"deployment.environment.name","value":{"stringValue":"testing"}');
      expect(sent).toContain(`"traceId":"${traceId}"`);
      expect(sent).toContain('"parentSpanId":"b7ad6b7169203331"');
    } finally {
      delete process.env.OTEL_EXPORTER_OTLP_ENDPOINT;
      delete process.env.OTEL_RESOURCE_ATTRIBUTES;
      collector.close();
    }
  });

  it("are not made where nobody asks for them", async () => {
    expect(await openTracing({})).toBeUndefined();
  });
});
