import type { ObjectWorkJson, ProblemJson } from "@store/api";
import { StoreError } from "@store/identity";
import type { ObjectWorkOptions, ObjectWorkProgress, Registry } from "@store/registry";
import { describe, expect, it } from "vitest";

import { openTestRegistry } from "./instance.ts";
import { startTestServer, type TestServer } from "./service.ts";

type Walk = (options: ObjectWorkOptions) => AsyncIterable<ObjectWorkProgress>;

const begun: ObjectWorkProgress = {
  objects: 1,
  sizeBytes: 10,
  changed: 0,
  copied: 0,
  removed: 0,
  skipped: 0,
  problemCount: 0,
  problems: [],
  total: 2,
  done: false,
  resumed: false,
};

/** A registry whose walk over copies is the test's own. */
async function registryWith(walk: Walk): Promise<Registry & AsyncDisposable> {
  const registry = await openTestRegistry();
  const changed: Registry & AsyncDisposable = {
    ...registry,
    verifyObjects: (options = {}) => walk(options),
    as: () => changed,
  };
  return changed;
}

async function verify(server: TestServer, init: RequestInit = {}): Promise<Response> {
  return await server.call("owner", "/api/v1/objects/verify", { method: "POST", ...init });
}

function linesOf(text: string): (ObjectWorkJson | ProblemJson)[] {
  expect(text.endsWith("\n")).toBe(true);
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as ObjectWorkJson | ProblemJson);
}

/** Waits until the walk is told to end, as one that works does. */
async function untilAborted(signal: AbortSignal | undefined): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(new StoreError("aborted", "The work was given up."));
  if (signal?.aborted === true) abort();
  signal?.addEventListener("abort", abort, { once: true });
  return await promise;
}

describe("a work on the copies of objects", () => {
  it("is told line by line, and ends with one that says so", async () => {
    await using registry = await registryWith(async function* () {
      yield begun;
      yield { ...begun, objects: 2, done: true };
    });
    await using server = await startTestServer({ registry });
    const response = await verify(server);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("application/x-ndjson");
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(response.headers.get("x-accel-buffering")).toBe("no");
    expect(linesOf(await response.text())).toMatchObject([
      { objects: 1, size: 10, problem_count: 0, done: false },
      { objects: 2, done: true },
    ]);
  });

  it("is given what was asked for, and no more", async () => {
    const given: ObjectWorkOptions[] = [];
    await using registry = await registryWith(async function* (options) {
      given.push(options);
      yield { ...begun, done: true };
    });
    await using server = await startTestServer({ registry });
    const ask = async (body: unknown): Promise<number> => {
      const headers = { "content-type": "application/json" };
      const response = await verify(server, { headers, body: JSON.stringify(body) });
      await response.arrayBuffer();
      return response.status;
    };
    expect(await ask({ backend: "mirror", restart: true, concurrency: 4 })).toBe(200);
    const signal: unknown = expect.any(AbortSignal);
    expect(given).toEqual([{ backend: "mirror", restart: true, concurrency: 4, signal }]);
    expect(await ask({ backends: "mirror" })).toBe(400);
    expect(await ask({ concurrency: 65 })).toBe(400);
  });

  it("that is refused at once is a problem with a status of its own", async () => {
    await using registry = await registryWith(async function* () {
      await Promise.reject(new StoreError("invalid_argument", "There is no backend mirrow."));
      yield begun;
    });
    await using server = await startTestServer({ registry });
    const response = await verify(server);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: "invalid_argument" });
  });

  it("that fails on its way ends with the problem, and is logged", async () => {
    const failure = new StoreError("storage_unavailable", "The mirror does not answer.");
    await using registry = await registryWith(async function* () {
      yield begun;
      throw failure;
    });
    await using server = await startTestServer({ registry });
    const response = await verify(server);
    expect(response.status).toBe(200);
    expect(linesOf(await response.text())).toMatchObject([
      { objects: 1 },
      {
        type: "about:blank",
        status: 503,
        code: "storage_unavailable",
        detail: "The mirror does not answer.",
        requestId: response.headers.get("x-request-id"),
      },
    ]);
    expect(server.failures).toEqual([failure]);
  });

  it("tells no more of a defect than that there is one", async () => {
    await using registry = await registryWith(async function* () {
      yield begun;
      throw new TypeError("secret is not a function");
    });
    await using server = await startTestServer({ registry });
    const text = await (await verify(server)).text();
    expect(text).toContain('"internal"');
    expect(text).not.toContain("secret");
  });

  it("ends when the client goes away", async () => {
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    await using registry = await registryWith(async function* ({ signal }) {
      yield begun;
      await untilAborted(signal).finally(resolve);
    });
    await using server = await startTestServer({ registry });
    const controller = new AbortController();
    const response = await verify(server, { signal: controller.signal });
    const reader = response.body?.getReader();
    await reader?.read();
    controller.abort();
    await ended;
    expect(server.failures).toEqual([]);
  });

  it("ends as soon as the server closes, and says so", async () => {
    await using registry = await registryWith(async function* ({ signal }) {
      yield begun;
      await untilAborted(signal);
    });
    const server = await startTestServer({ registry });
    const response = await verify(server);
    const text = response.text();
    await server.close();
    expect(linesOf(await text)).toMatchObject([{ objects: 1 }, { code: "closed", status: 503 }]);
  });

  it("is refused where the server has enough of them, until one has ended", async () => {
    await using registry = await registryWith(async function* ({ signal }) {
      yield begun;
      await untilAborted(signal);
    });
    // `fetch` connects anew where a body was cancelled, and such connections are no idle ones.
    await using server = await startTestServer({ registry, drainMs: 1 });
    const begin = () => Array.from({ length: 4 }, () => verify(server));
    const [first, ...others] = await Promise.all(begin());
    const refused = await verify(server);
    expect(refused.status).toBe(429);
    expect(refused.headers.get("retry-after")).toBe("10");
    expect(await refused.json()).toMatchObject({ code: "rate_limited" });
    await first?.body?.cancel();
    // The server hears of it when the connection is closed.
    let next = await verify(server);
    for (; next.status === 429; next = await verify(server)) await next.arrayBuffer();
    for (const response of [next, ...others]) await response.body?.cancel();
  });

  it("is for those who run the instance", async () => {
    await using server = await startTestServer();
    for (const who of ["reader", "writer"]) {
      for (const work of ["replicate", "verify", "evacuate"]) {
        const init = { method: "POST" };
        const response = await server.call(who, `/api/v1/objects/${work}`, init);
        expect(response.status).toBe(403);
      }
      expect((await server.call(who, "/api/v1/backends")).status).toBe(403);
    }
  });
});
