import { routes, type Route, type RouteName } from "@store/api";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { Caller } from "./access-callers.ts";
import { Fixtures } from "./access-fixtures.ts";
import { rows, type Asked } from "./access-rows.ts";
import { noFailureLimits, openAccount } from "./access-world.ts";
import { openConnection, type Connection } from "./connection.ts";
import { openWholeServer, type WholeServer } from "./whole-server.ts";

let server: WholeServer;
let fixtures: Fixtures;
let caller: Caller;
let port: number;

beforeAll(async () => {
  server = await openWholeServer({ access: { limits: noFailureLimits } });
  port = Number(new URL(server.url).port);
  const account = await openAccount(server, "admin:*", "metrics");
  caller = {
    name: "admin",
    kind: "session",
    overApp: "admin",
    overSome: "admin",
    isInstanceAdmin: true,
    readsMetrics: true,
    isTypical: true,
    authorization: `Bearer ${account.accessToken}`,
    actor: `user:${account.userId}`,
    account,
  };
  fixtures = await Fixtures.open(server);
});
afterAll(() => server[Symbol.asyncDispose]());

const withBody = (Object.keys(routes) as RouteName[]).filter((name) => "body" in routes[name]);

/** The line and the fields of a request, without what says how long its body is. */
function headOf(name: RouteName, { params = {}, query = "", headers = {}, body }: Asked): string {
  const { method, path }: Route = routes[name];
  const target = path.replaceAll(/\{(\w+)\}/g, (_, part: string) => params[part] ?? "");
  const type = body instanceof Uint8Array ? {} : { "content-type": "application/json" };
  const fields = { host: "store", authorization: caller.authorization, ...type, ...headers };
  const lines = Object.entries(fields).map(([field, value]) => `${field}: ${value}`);
  return [`${method} ${target}${query} HTTP/1.1`, ...lines].join("\r\n");
}

function bytesOf({ body }: Asked): string {
  if (body === undefined) return '{"reason":"a body"}';
  return body instanceof Uint8Array ? Buffer.from(body).toString() : JSON.stringify(body);
}

async function exchange(text: string): Promise<string> {
  using connection = await openConnection(port);
  connection.send(text);
  connection.socket.end();
  return await connection.closed();
}

describe("a body that is not as long as it should be", () => {
  const ask = async (name: RouteName) => {
    const asked = await rows[name].ask(fixtures, caller);
    const upload = name === "createUpload" ? { "content-type": offsetStream } : {};
    const body = bytesOf(asked);
    return { head: headOf(name, { ...asked, headers: { ...asked.headers, ...upload } }), body };
  };
  const offsetStream = "application/offset+octet-stream";
  const cuts: Readonly<Record<string, (body: string) => string>> = {
    "shorter than its length": (body) => `content-length: ${body.length + 10}\r\n\r\n${body}`,
    "not there at all": (body) => `content-length: ${body.length}\r\n\r\n`,
    "without its last chunk": (body) =>
      `transfer-encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n`,
    "cut in a chunk": (body) => `transfer-encoding: chunked\r\n\r\nffff\r\n${body}`,
    "cut in the end of its chunks": (body) =>
      `transfer-encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n`,
  };

  it.each(withBody)("changes nothing by %s, and is no failure", async (name) => {
    for (const [what, cut] of Object.entries(cuts)) {
      const { head, body } = await ask(name);
      const { size } = await server.registry.head();
      const answer = await exchange(`${head}\r\n${cut(body)}`);
      expect({ what, answer }).not.toEqual({ what, answer: expect.stringMatching(/^HTTP\/1.1 2/) });
      expect({ what, size: (await server.registry.head()).size }).toEqual({ what, size });
    }
    expect(server.failures).toEqual([]);
  });

  it.each(withBody)("is read by %s no further than its length", async (name) => {
    const { head, body } = await ask(name);
    const { size } = await server.registry.head();
    const more = "GET /health HTTP/1.1\r\nhost: store\r\nconnection: close\r\n\r\n";
    const short = body.slice(0, -1);
    const answer = await exchange(
      `${head}\r\ncontent-length: ${short.length}\r\n\r\n${body}${more}`,
    );
    // What is left over is the beginning of no request.
    expect(answer).not.toContain('"status":"ok"');
    const isJson = head.includes("application/json");
    if (isJson) expect((await server.registry.head()).size).toBe(size);
    expect(server.failures).toEqual([]);
  });
});

describe("a body of somebody without a credential", () => {
  it("may have so much as a login needs, and no more", async () => {
    const body = { username: "ada", password: "x".repeat(20_000) };
    const response = await server.request("POST", "/auth/login", { body });
    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({
      code: "limit_exceeded",
      context: { limit: 16_384 },
    });
  });
});

describe("two thousand clients that never end their requests", () => {
  const beginnings: Readonly<Record<string, () => string>> = {
    "say nothing": () => "",
    "stop in the header": () => "GET /health HTTP/1.1\r\nHost: st",
    "stop in a body that nobody reads": () =>
      "POST /api/v1/packages HTTP/1.1\r\nHost: store\r\nContent-Length: 100\r\n\r\n{",
    "stop in a body that is read": () =>
      "POST /auth/login HTTP/1.1\r\nHost: store\r\nContent-Type: application/json\r\n" +
      "Content-Length: 100\r\n\r\n{",
  };

  it.each(Object.keys(beginnings))("but %s, keep nobody else from being served", async (what) => {
    const open: Connection[] = [];
    try {
      for (let index = 0; index < 2_000; index += 1) {
        const connection = await openConnection(port);
        connection.send(beginnings[what]?.() ?? "");
        open.push(connection);
      }
      for (let round = 0; round < 20; round += 1) {
        const answers = await Promise.all([
          server.request("GET", "/health"),
          server.request("GET", "/health/ready"),
          fetch(`${server.url}/api/v1/packages/${fixtures.published}`, {
            headers: { authorization: caller.authorization ?? "" },
          }),
        ]);
        expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
      }
    } finally {
      for (const { socket } of open) socket.destroy();
    }
    expect(server.failures).toEqual([]);
  });
});
