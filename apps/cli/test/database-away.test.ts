import { once } from "node:events";
import { createInterface } from "node:readline";
import { request, type IncomingMessage } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

import { createClient } from "@store/client";
import { startPostgresServer, type PostgresServer } from "@store/testing/postgres";
import { account, proving } from "@store/testing/prove";
import { describe, expect, it } from "vitest";

import { childrenOf } from "./children.ts";
import { digestOf, largeSource } from "./cluster/large-source.ts";
import { findings, prepare } from "./load/judge.ts";
import { openSite, type Served } from "./served.ts";

const mebibyte = 1024 * 1024;
const sizeBytes = 12 * mebibyte;
const patience = { timeout: 60_000, interval: 100 };

/** What a server says and does whose database comes back. */
const asItShould = {
  refusals: [503, 503, 503, 503],
  saidWhenToRetry: true,
  live: 200,
  ready: 503,
  wentOnAt: 5 * mebibyte,
  isWhole: true,
  missedEvents: [],
  exitCode: 0,
  findings: [],
};

describe("a server whose PostgreSQL", () => {
  it("is away for a while says so, and goes on by itself where it was", async () => {
    const postgres = await startPostgresServer({ fsync: true });
    await using _stopped = { [Symbol.asyncDispose]: () => postgres.stop() };
    const observed = await leaveFor(postgres, {
      leave: () => postgres.end("at once"),
      comeBack: () => postgres.startAgain(),
    });
    expect(observed).toEqual(asItShould);
  });

  // Statements of a server that is silent are given up after a minute.
  it.runIf(proving)(
    "is silent for a while says so, and goes on by itself where it was",
    async () => {
      const postgres = await startPostgresServer({ fsync: true });
      await using _stopped = {
        [Symbol.asyncDispose]: async () => {
          await signal(postgres, "SIGCONT");
          await postgres.stop();
        },
      };
      const observed = await leaveFor(postgres, {
        leave: () => signal(postgres, "SIGSTOP"),
        comeBack: () => signal(postgres, "SIGCONT"),
      });
      expect(observed).toEqual(asItShould);
    },
  );
});

/** To all processes of a PostgreSQL. */
async function signal({ pid }: PostgresServer, name: "SIGSTOP" | "SIGCONT"): Promise<void> {
  for (const one of [pid, ...(await childrenOf(pid))]) process.kill(one, name);
}

interface Absence {
  readonly leave: () => Promise<void>;
  readonly comeBack: () => Promise<void>;
}

async function leaveFor(postgres: PostgresServer, { leave, comeBack }: Absence): Promise<object> {
  await using site = await openSite({
    STORE_LOG_LEVEL: "error",
    STORE_DATABASE_URL: postgres.url,
  });
  const server = await site.serve();
  const { token } = await prepare(server);
  const client = createClient({ url: server.url, credential: { token }, retry: false });
  const { id } = await client.createPackage({ namespace: "load", name: "away", version: "1" });
  const upload = await client.createUpload({ sizeBytes });
  const first = largeSource(5 * mebibyte);
  await client.appendUpload(upload.id, 0, first);
  using following = follow(server, token);
  await expect.poll(() => following.seen.length, patience).toBeGreaterThan(0);

  const began = performance.now();
  await leave();
  const answers = await Promise.all([
    ask(server, token, "GET", "/api/v1/packages"),
    ask(server, token, "POST", "/api/v1/packages", { namespace: "a", name: "b", version: "2" }),
    ask(server, token, "HEAD", `/api/v1/uploads/${upload.id}`),
    ask(server, token, "GET", "/health/ready"),
  ]);
  const refusedMs = Math.round(performance.now() - began);
  const live = await ask(server, token, "GET", "/health");
  await sleep(2000);
  const ready = await ask(server, token, "GET", "/health/ready");
  await comeBack();

  await expect
    .poll(async () => (await ask(server, token, "GET", "/health/ready")).status, patience)
    .toBe(200);
  const offset = await client.getUploadOffset(upload.id);
  await client.appendUpload(upload.id, offset, largeSource(sizeBytes, offset));
  const { sha256 } = await client.addFile(id, "large", { upload: upload.id });
  await client.finalizePackage(id);
  const { size } = await client.head();
  await expect.poll(() => following.seen.at(-1), patience).toBe(size);
  const { connections } = following;
  account("a server whose PostgreSQL was away", { refusedMs, connections });
  const { exitCode } = await server.end();
  return {
    refusals: answers.map(({ status }) => status),
    saidWhenToRetry: answers.every(({ retryAfter = "" }) => /^[1-9]\d*$/.test(retryAfter)),
    live: live.status,
    ready: ready.status,
    wentOnAt: offset,
    isWhole: sha256 === (await digestOf(largeSource(sizeBytes))),
    missedEvents: following.seen.filter((seq, index) => seq !== index + 1),
    exitCode,
    findings: await findings(site),
  };
}

interface Asked {
  readonly status: number | undefined;
  readonly retryAfter: string | undefined;
}

async function ask(
  { url }: Served,
  token: string,
  method: string,
  path: string,
  body?: object,
): Promise<Asked> {
  const asked = request(`${url}${path}`, {
    method,
    agent: false,
    headers: {
      authorization: `Bearer ${token}`,
      "tus-resumable": "1.0.0",
      ...(body && { "content-type": "application/json" }),
    },
  });
  asked.end(body && JSON.stringify(body));
  const [answer] = (await once(asked, "response")) as [IncomingMessage];
  answer.resume();
  const { statusCode, headers } = answer;
  return { status: statusCode, retryAfter: headers["retry-after"] };
}

/** Follows the log over connections of its own, as an `EventSource` does. */
function follow({ url }: Served, token: string): Following & Disposable {
  const seen: number[] = [];
  const stopping = new AbortController();
  const following = {
    seen,
    connections: 0,
    [Symbol.dispose]: () => stopping.abort(),
  };
  const connect = async (): Promise<void> => {
    const asked = request(`${url}/api/v1/events?since=0`, {
      agent: false,
      signal: stopping.signal,
      headers: {
        accept: "text/event-stream",
        authorization: `Bearer ${token}`,
        ...(seen.length > 0 && { "last-event-id": `${seen.at(-1)}` }),
      },
    });
    asked.end();
    const [answer] = (await once(asked, "response")) as [IncomingMessage];
    if (answer.statusCode === 200) following.connections += 1;
    for await (const line of createInterface({ input: answer })) {
      const [, seq] = /^id: (\d+)$/.exec(line) ?? [];
      if (seq !== undefined) seen.push(Number(seq));
    }
  };
  void (async () => {
    while (!stopping.signal.aborted) {
      await connect().catch(() => undefined);
      await sleep(100);
    }
  })();
  return following;
}

interface Following {
  readonly seen: readonly number[];
  connections: number;
}
