import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { authorizeByHeader, type SignatureRules, signingForm } from "./authorization.ts";
import type { S3Answer, S3Service } from "./call.ts";
import { errorDocument, S3Error } from "./errors.ts";
import type { Faults, S3Fault } from "./faults.ts";
import { operations } from "./operations.ts";
import { payloadForm } from "./payload.ts";
import { authorizeByQuery } from "./presigned.ts";
import { ConnectionCut, requestBody } from "./request-body.ts";
import type { RequestLog } from "./request-log.ts";
import { parseRequest, type S3Request } from "./request.ts";
import { routeOf, type S3Operation } from "./route.ts";
import { sendAnswer } from "./send-answer.ts";

/** What handling a request needs. */
export interface HandlerParts {
  readonly service: S3Service;
  readonly rules: SignatureRules;
  readonly faults: Faults;
  readonly log: RequestLog;
}

interface Exchange {
  readonly parts: HandlerParts;
  readonly http: IncomingMessage;
  readonly response: ServerResponse;
  readonly awaitsContinue: boolean;
  readonly id: string;
  request?: S3Request;
  operation?: S3Operation;
  fault?: S3Fault | undefined;
}

/** Answers one request. Never throws. */
export async function handle(
  parts: HandlerParts,
  http: IncomingMessage,
  response: ServerResponse,
  awaitsContinue: boolean,
): Promise<void> {
  const id = randomBytes(8).toString("hex").toUpperCase();
  const exchange: Exchange = { parts, http, response, awaitsContinue, id };
  response.setHeader("date", new Date(parts.service.now()).toUTCString());
  response.setHeader("server", "AmazonS3");
  response.setHeader("x-amz-request-id", id);
  response.setHeader("x-amz-id-2", "c3RvcmUtczMtZG91Ymxl");
  try {
    const answer = await perform(exchange);
    note(exchange, answer.status);
    await delay(exchange.fault, "delay-answer");
    await sendAnswer(response, answer, exchange.fault);
  } catch (error) {
    await refuse(exchange, error);
  } finally {
    // What nobody read of the body, so that the connection can go on.
    http.resume();
  }
}

async function perform(exchange: Exchange): Promise<S3Answer> {
  const { parts, http, response, awaitsContinue } = exchange;
  const request = parseRequest(http, exchange.id);
  exchange.request = request;
  const operation = routeOf(request);
  exchange.operation = operation;
  const partNumber = request.query.get("partNumber");
  const fault = parts.faults.take({
    operation,
    key: request.key,
    partNumber: partNumber === undefined ? undefined : Number(partNumber),
  });
  exchange.fault = fault;
  await delay(fault, "delay");
  if (fault?.effect === "answer") throw new S3Error(fault.code);
  const form = signingForm(request);
  const authorize = form === "header" ? authorizeByHeader : authorizeByQuery;
  const payload = payloadForm(request, authorize(request, parts.rules));
  const body = requestBody(http, response, awaitsContinue, fault);
  if (fault?.effect === "error-in-body") {
    await Array.fromAsync(body, () => undefined);
    const error = new S3Error(fault.code);
    return { status: 200, body: errorDocument(error, resourceOf(request), exchange.id) };
  }
  return operations[operation]({ service: parts.service, request, payload, body });
}

async function delay(fault: S3Fault | undefined, effect: "delay" | "delay-answer"): Promise<void> {
  if (fault?.effect === effect && "ms" in fault) await sleep(fault.ms);
}

async function refuse(exchange: Exchange, error: unknown): Promise<void> {
  const { http, response } = exchange;
  if (error instanceof ConnectionCut || http.socket.destroyed) {
    note(exchange, 0, "ConnectionCut");
    response.destroy();
    return;
  }
  const refusal = error instanceof S3Error ? error : internalError(error);
  note(exchange, refusal.status, refusal.code);
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const resource = exchange.request === undefined ? "/" : resourceOf(exchange.request);
  const withBody = http.method !== "HEAD";
  const answer: S3Answer = withBody
    ? { status: refusal.status, body: errorDocument(refusal, resource, exchange.id) }
    : { status: refusal.status };
  await sendAnswer(response, answer, exchange.fault);
}

/** A defect of the double, which the test should see. */
function internalError(error: unknown): S3Error {
  console.error("The S3 double failed:", error);
  return new S3Error("InternalError");
}

function resourceOf({ bucket, key }: S3Request): string {
  return key === "" ? `/${bucket}` : `/${bucket}/${key}`;
}

function note(exchange: Exchange, status: number, code?: string): void {
  const { parts, request, operation, fault, http } = exchange;
  const partNumber = request?.query.get("partNumber");
  parts.log.add({
    operation,
    method: http.method ?? "",
    bucket: request?.bucket ?? "",
    key: request?.key ?? "",
    status,
    ...(partNumber === undefined ? {} : { partNumber: Number(partNumber) }),
    ...(code === undefined ? {} : { code }),
    ...(fault === undefined ? {} : { fault: fault.effect }),
  });
}
