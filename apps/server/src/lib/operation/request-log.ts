import type { AnsweredRequest } from "../http/serving.ts";
import type { Log } from "../log.ts";

/** One line for each request. Probes and scrapes, which say the same for ever, are left out. */
export function logRequests(log: Log): (request: AnsweredRequest) => void {
  return (request) => {
    const { operation, method, path, status, outcome, durationMs } = request;
    const isRoutine = operation !== undefined && routine.has(operation);
    if (isRoutine && status < 400) return;
    log.info(`${method} ${path}`, {
      status,
      operation,
      code: request.code,
      outcome: outcome === "whole" ? undefined : outcome,
      duration_ms: Math.round(durationMs * 10) / 10,
      received_bytes: request.receivedBytes,
      sent_bytes: request.sentBytes,
      actor: request.actor,
      address: request.address,
      request_id: request.requestId,
    });
  };
}

const routine = new Set(["getHealth", "getReadiness", "getMetrics"]);
