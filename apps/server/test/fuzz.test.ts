import { Agent, request, type IncomingMessage } from "node:http";

import { openApiDocument } from "@store/api";
import { storeErrorCodes } from "@store/identity";
import { registerSchema, validate, type Validator } from "@hyperjump/json-schema/draft-2020-12";
import { account, proving, rounds } from "@store/testing/prove";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { openAccount, openWorld, type Account } from "./access-world.ts";
import { FuzzedInstance } from "./fuzz-instance.ts";
import {
  operationsOf,
  requestsOf,
  type FuzzedOperation,
  type FuzzedRequest,
} from "./fuzz-requests.ts";
import type { WholeServer } from "./whole-server.ts";

const document = openApiDocument({ version: "1.0.0" });
// Those that read the whole log, or every object, come first, while they are few.
const first = [
  "replayViews",
  "verifyLog",
  "sweep",
  "replicateObjects",
  "verifyObjects",
  "evacuateObjects",
];
const operations = operationsOf(document).toSorted(
  (one, other) => Number(first.includes(other.name)) - Number(first.includes(one.name)),
);

/** Longer than anything may take here. */
const patienceMs = 20_000;
const agent = new Agent({ keepAlive: true, maxSockets: 4 });
const runs = rounds(4_000);

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
}

let server: WholeServer;
let instance: FuzzedInstance;
let admin: Account;
let reader: Account;
const counts = { requests: 0, successes: 0, refusals: 0 };

beforeAll(async () => {
  server = await openWorld("sqlite");
  admin = await openAccount(server, "admin:*", "metrics");
  reader = await openAccount(server, "read:acme/*");
  const schema = { type: "object", properties: { commit: { type: "string" } } };
  await server.registry.registerMetadataSchema({ name: "build", schema });
  instance = new FuzzedInstance(server);
});
afterAll(async () => {
  agent.destroy();
  account("fuzz", { operations: operations.length, runs, ...counts });
  await server[Symbol.asyncDispose]();
});

/** Sends a request, and reads the answer: of a stream that goes on, what comes first. */
async function send(asked: FuzzedRequest, token: string | undefined): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const { method, target, headers, body } = asked;
  const { hostname, port } = new URL(server.url);
  const sent = request({
    agent,
    hostname,
    port,
    method,
    path: target,
    headers: {
      ...headers,
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { "content-length": String(body.length) }),
    },
    signal: AbortSignal.timeout(patienceMs),
  });
  sent.on("error", reject);
  sent.on("response", (incoming) => {
    const isEndless = incoming.headers["content-type"] === "text/event-stream";
    const chunks: Buffer[] = [];
    const finish = (): void => {
      const text = Buffer.concat(chunks).toString();
      resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text });
    };
    incoming.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      if (!isEndless) return;
      finish();
      sent.destroy();
    });
    incoming.on("end", finish);
    incoming.on("error", reject);
  });
  sent.end(body);
  return await promise;
}

/** What is wrong about an answer, in words. */
async function wrongAbout(operation: FuzzedOperation, { method }: FuzzedRequest, answer: Answer) {
  const { status, headers, text } = answer;
  if (status >= 500) return `${status} ${text}`;
  const type = headers["content-type"]?.split(";")[0];
  if (status >= 400) {
    if (type !== "application/problem+json") return `a ${status} of ${type}`;
    return method === "HEAD" ? undefined : wrongAboutProblem(answer);
  }
  const response = operation.responses[status];
  if (response === undefined) return `a ${status}, which is not declared`;
  if (text === "" || type === undefined) return undefined;
  const content = response.content?.[type];
  if (content === undefined && Object.keys(response.content ?? {})[0] === "application/json") {
    return `a ${type}, which is not declared`;
  }
  if (content?.schema === undefined) return undefined;
  const validator = await validatorOf(operation, status, content.schema);
  const texts = type === "application/x-ndjson" ? text.trimEnd().split("\n") : [text];
  for (const one of texts) {
    const value = JSON.parse(one) as { readonly status?: unknown };
    if (type !== "application/json" && Number(value.status) >= 500) return `a line of ${one}`;
    const output = validator(value as Parameters<Validator>[0], "BASIC");
    if (output.valid) continue;
    const places = output.errors?.map(({ instanceLocation }) => instanceLocation).join();
    return `JSON that breaks its schema at ${places}: ${one.slice(0, 400)}`;
  }
  return undefined;
}

function wrongAboutProblem({ status, headers, text }: Answer): string | undefined {
  const problem = JSON.parse(text) as Record<string, unknown>;
  const isKnown = typeof problem.code === "string" && problem.code in storeErrorCodes;
  const isWhole = problem.status === status && problem.requestId === headers["x-request-id"];
  const isSaid = typeof problem.detail === "string" && problem.detail !== "";
  return isKnown && isWhole && isSaid ? undefined : `a problem that is none: ${text}`;
}

const validators = new Map<string, Promise<Validator>>();

function validatorOf(operation: FuzzedOperation, status: number, schema: object) {
  const uri = `https://store.invalid/${operation.name}/${status}`;
  const found = validators.get(uri);
  if (found !== undefined) return found;
  const dialect = "https://json-schema.org/draft/2020-12/schema";
  registerSchema({ $schema: dialect, ...schema }, uri, dialect);
  const made = validate(uri);
  validators.set(uri, made);
  return made;
}

/** Operations that the callers here cannot do, whatever they send. */
const neverDone = new Set(["changePassword"]);

describe("an operation of which requests are made from its own schema", () => {
  it.each(operations)("$name answers each of them, or says what is wrong", async (operation) => {
    await instance.renew(admin);
    const callers = fc.constantFrom("admin", "admin", "admin", "reader", "nobody");
    let done = 0;
    const property = fc.asyncProperty(
      requestsOf(operation, instance.known),
      callers,
      async (asked, caller) => {
        const token = { admin: admin.token, reader: reader.token, nobody: undefined }[caller];
        const answer = await send(asked, token);
        const isDone = answer.status < 400;
        counts.requests += 1;
        counts[isDone ? "successes" : "refusals"] += 1;
        done += Number(isDone);
        expect(await wrongAbout(operation, asked, answer)).toBeUndefined();
      },
    );
    const seed = proving ? {} : { seed: 20_260_102 };
    await fc.assert(property, { numRuns: runs, ...seed });
    if (!neverDone.has(operation.name)) expect(done).toBeGreaterThan(0);
  });

  it("leaves an instance that is healthy, and views that are those of its log", async () => {
    expect(server.failures).toEqual([]);
    expect(await server.registry.health()).toMatchObject({ healthy: true });
    expect(await server.registry.replay({ check: true })).toMatchObject({ differences: [] });
    expect(await server.registry.verifyLog()).toEqual(await server.registry.head());
  });
});
