import { localPrincipal } from "@store/access";
import { encodeCbor, decodeCbor } from "@store/manifest";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { openWholeServer, type WholeServer } from "./whole-server.ts";

let server: WholeServer;
let reader: string;

beforeEach(async () => {
  server = await openWholeServer({
    settings: { events: { heartbeatMs: 50, slowSubscriberMs: 5_000, subscribers: 2 } },
  });
  reader = await server.tokenFor("read:acme/*");
});
afterEach(() => server[Symbol.asyncDispose]());

const coordinates = (name: string) => ({ namespace: "acme", name, version: "1.0.0" });

/** What is read of a stream of events, frame by frame. */
async function* frames(response: Response): AsyncGenerator<string> {
  let text = "";
  for await (const chunk of response.body ?? []) {
    text += Buffer.from(chunk).toString();
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      yield text.slice(0, end);
      text = text.slice(end + 2);
    }
  }
}

async function firstEvents(response: Response, count: number): Promise<string[]> {
  const found: string[] = [];
  for await (const frame of frames(response)) {
    if (!frame.startsWith(":")) found.push(frame);
    if (found.length === count) break;
  }
  return found;
}

describe("events as JSON", () => {
  it("are those that the caller may read, and say how far they reach", async () => {
    await server.registry.createPackage(coordinates("app"));
    await server.registry.createPackage({ ...coordinates("app"), namespace: "other" });
    const response = await server.request("GET", "/api/v1/events?limit=1000", { token: reader });
    expect(response.status).toBe(200);
    const page = (await response.json()) as {
      items: { type: string; subject: string }[];
      scanned_to: number;
      head: number;
    };
    const head = await server.registry.head();
    expect(page.scanned_to).toBe(head.size);
    expect(page.head).toBe(head.size);
    expect(page.items.some((event) => event.subject.startsWith("acme/app@1.0.0"))).toBe(true);
    expect(JSON.stringify(page)).not.toMatch(/other\/app|user:|token:/);

    const admin = await server.tokenFor("admin:*");
    const all = await server.request("GET", "/api/v1/events?type=v1.user.created", {
      token: admin,
    });
    const users = (await all.json()) as { items: { type: string }[] };
    expect(new Set(users.items.map((event) => event.type))).toEqual(new Set(["v1.user.created"]));
  });

  it("go on after the last one that was seen", async () => {
    const first = await server.request("GET", "/api/v1/events?limit=2", { token: reader });
    const page = (await first.json()) as { items: { seq: number }[]; scanned_to: number };
    const next = await server.request("GET", `/api/v1/events?since=${page.scanned_to}&limit=1`, {
      token: reader,
    });
    const { items } = (await next.json()) as { items: { seq: number }[] };
    expect(items[0]?.seq).toBeGreaterThan(page.items.at(-1)?.seq ?? Infinity);
  });
});

describe("events as a CBOR sequence", () => {
  it("are header and payload as the log keeps them", async () => {
    const response = await server.request("GET", "/api/v1/events?limit=3", {
      token: reader,
      headers: { accept: "application/cbor-seq" },
    });
    expect(response.headers.get("content-type")).toBe("application/cbor-seq");
    const stored = await server.registry.readEvents({ limit: 3 });
    const expected = stored.items.map(({ header, payload }) => encodeCbor([header, payload]));
    expect(Buffer.from(await response.arrayBuffer())).toEqual(Buffer.concat(expected));
    expect(decodeCbor(expected[0] ?? new Uint8Array())).toHaveLength(2);
    expect(response.headers.get("store-scanned-to")).toBe("3");
  });
});

describe("the stream of events", () => {
  const accept = { accept: "text/event-stream" };

  it("gives what is there, then what happens, with heartbeats between", async () => {
    const { size } = await server.registry.head();
    const response = await server.request("GET", `/api/v1/events?since=${size}`, {
      token: reader,
      headers: accept,
    });
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    let heartbeats = 0;
    for await (const frame of frames(response)) {
      if (frame.startsWith(":")) heartbeats += 1;
      if (heartbeats === 3) await server.registry.createPackage(coordinates("app"));
      if (frame.startsWith(":")) continue;
      expect(frame).toMatch(
        new RegExp(`^id: ${size + 1}\nevent: v1\\.package\\.created\ndata: \\{"seq":${size + 1},`),
      );
      break;
    }
    expect(heartbeats).toBeGreaterThanOrEqual(3);
  });

  it("resumes after the event that the subscriber saw last", async () => {
    for (const name of ["a", "b", "c"]) await server.registry.createPackage(coordinates(name));
    const open = (headers: Record<string, string>) =>
      server.request("GET", "/api/v1/events?type=v1.package.created", {
        token: reader,
        headers: { ...accept, ...headers },
      });
    const [first] = await firstEvents(await open({}), 1);
    const id = /^id: (\d+)/.exec(first ?? "")?.[1] ?? "";
    const rest = await firstEvents(await open({ "last-event-id": id }), 2);
    expect([first, ...rest].map((frame) => /"subject":"([^@"]+)/.exec(frame ?? "")?.[1])).toEqual([
      "acme/a",
      "acme/b",
      "acme/c",
    ]);
  });

  it.each(["type=no-type", "since=1000000", "subject=%00", "since=5&type=v1.package.created,"])(
    "is refused before it begins where it cannot be followed: %s",
    async (query) => {
      const options = { token: reader, headers: accept };
      const response = await server.request("GET", `/api/v1/events?${query}`, options);
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ code: "invalid_argument" });
      expect(server.failures).toEqual([]);
    },
  );

  it("is about one subject, and what lies below it, where one is named", async () => {
    for (const name of ["app", "app2"]) await server.registry.createPackage(coordinates(name));
    const other = await server.registry.createPackage({ ...coordinates("app"), version: "2.0.0" });
    const response = await server.request(
      "GET",
      "/api/v1/events?type=v1.package.created&subject=acme/app",
      { token: reader, headers: accept },
    );
    const [, second] = await firstEvents(response, 2);
    expect(second).toContain(other.id);
  });

  it("is given to so many at once, and to another when one has left", async () => {
    const leave = new AbortController();
    const open = (signal = leave.signal) =>
      server.request("GET", "/api/v1/events", { token: reader, headers: accept, signal });
    await Promise.all([open(), open()]);
    const third = await open();
    expect(third.status).toBe(429);
    expect(third.headers.get("retry-after")).toMatch(/^\d+$/);
    leave.abort();
    await expect
      .poll(async () => (await open(AbortSignal.timeout(2_000))).status, { timeout: 10_000 })
      .toBe(200);
  });

  it("ends once the credential does, before anything else is told", async () => {
    const own = await server.tokenFor("read:acme/*");
    const [{ id } = { id: "" }] = (
      await server.access.listTokens(localPrincipal("test"), { all: true, limit: 1000 })
    ).items.slice(-1);
    const { size } = await server.registry.head();
    const open = `/api/v1/events?since=${size}`;
    const response = await server.request("GET", open, { token: own, headers: accept });
    await server.access.revokeToken(localPrincipal("test"), id);
    await server.registry.createPackage(coordinates("secret"));
    const text = await response.text();
    expect(text).toMatch(/event: dropped\ndata: \{"code":"unauthenticated"/);
    expect(text).not.toContain("secret");
  });

  it("ends once the caller may read something else, and says that it may be resumed", async () => {
    const own = await server.tokenFor("read:acme/*");
    const me = await server.request("GET", "/auth/me", { token: own });
    const { username } = (await me.json()) as { username: string };
    const { size } = await server.registry.head();
    const open = `/api/v1/events?since=${size}`;
    const response = await server.request("GET", open, { token: own, headers: accept });
    await server.access.setScopes(localPrincipal("test"), username, ["read:other/*"]);
    await server.registry.createPackage(coordinates("secret"));
    const text = await response.text();
    expect(text).toMatch(/event: dropped\ndata: \{"code":"permission_denied"/);
    expect(text).not.toContain("secret");
  });

  it("leaves places for others, however often one caller asks", async () => {
    await using large = await openWholeServer({
      settings: { events: { heartbeatMs: 1_000, slowSubscriberMs: 5_000, subscribers: 30 } },
    });
    const leave = new AbortController();
    const open = (token: string) =>
      large.request("GET", "/api/v1/events", { token, headers: accept, signal: leave.signal });
    const greedy = await large.tokenFor("read:*");
    const together = await Promise.all(Array.from({ length: 12 }, () => open(greedy)));
    expect(together.filter(({ status }) => status === 200)).toHaveLength(3);
    expect((await open(await large.tokenFor("read:*"))).status).toBe(200);
    leave.abort();
  });

  it.each(["x", "-1", "1e3", "99999999999999999"])("refuses Last-Event-ID %s", async (id) => {
    const response = await server.request("GET", "/api/v1/events", {
      token: reader,
      headers: { ...accept, "last-event-id": id },
    });
    expect(response.status).toBe(400);
  });

  it("offers no other form", async () => {
    const response = await server.request("GET", "/api/v1/events", {
      token: reader,
      headers: { accept: "application/xml" },
    });
    expect(response.status).toBe(406);
    expect(await response.json()).toMatchObject({ code: "not_acceptable" });
  });
});
