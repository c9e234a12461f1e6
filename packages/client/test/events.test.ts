import { encodeEvent, type EventJson } from "@store/api";
import { digestBytes } from "@store/identity";
import { encodeCbor } from "@store/manifest";
import { describe, expect, test } from "vitest";

import { cut, openDouble, problem, transports, type Answer } from "./double.ts";

async function eventBytes(seq: number) {
  const payload = encodeCbor({ note: `event ${seq}` });
  const { sha256 } = await digestBytes(payload);
  const fields = {
    seq,
    id: `id-${seq}`,
    type: "v1.package.created",
    occurred_at: "2026-01-02T03:04:05.678Z",
    actor: "local",
    subject: "acme/app@1.0.0",
  };
  const header = encodeCbor({
    ...fields,
    log_id: "log",
    payload_sha256: sha256.bytes,
    payload_size: payload.byteLength,
  });
  const { occurred_at, ...rest } = fields;
  return { ...rest, occurredAt: occurred_at, header, payload, payloadSha256: sha256.bytes };
}

async function eventJson(seq: number): Promise<EventJson> {
  return encodeEvent(await eventBytes(seq));
}

async function message(seq: number): Promise<string> {
  const event = await eventJson(seq);
  return `id: ${seq}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}

/** Sends frames, in pieces that know no characters, and ends, or goes on in silence. */
function stream(frames: readonly string[], end: "end" | "cut" | "hang"): Answer {
  return async (_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const frame of [": hello\n\n", ...frames]) {
      for (const half of [frame.slice(0, 7), frame.slice(7)]) {
        await new Promise((resolve) => response.write(half, resolve));
      }
    }
    if (end === "end") response.end();
    if (end === "cut") response.destroy();
  };
}

async function take(events: AsyncIterable<EventJson>, count: number): Promise<number[]> {
  const taken: number[] = [];
  for await (const { seq } of events) if (taken.push(seq) === count) break;
  return taken;
}

describe.each(transports)("over %s", (transport) => {
  test("follows the log over broken connections, and misses and repeats nothing", async () => {
    const server = await openDouble(transport);
    const dropped = `event: dropped\ndata: {"code":"rate_limited","detail":"slow"}\n\n`;
    server.answer(
      stream([await message(3), await message(5)], "cut"),
      cut,
      problem(503, "database_unavailable"),
      stream([await message(5), await message(6)], "end"),
      stream([await message(7), dropped], "hang"),
      stream([await message(8)], "hang"),
    );
    const tail = server.client().tailEvents({ since: 2, types: ["v1.package.created"] });
    expect(await take(tail, 5)).toEqual([3, 5, 6, 7, 8]);
    expect(server.seen[0]).toMatchObject({
      url: "/api/v1/events?since=2&type=v1.package.created",
      headers: { accept: "text/event-stream", "last-event-id": "2" },
    });
    expect(server.seen.map(({ headers }) => headers["last-event-id"])).toEqual([
      "2",
      "5",
      "5",
      "5",
      "6",
      "7",
    ]);
  });

  test("begins anew where a connection falls silent", async () => {
    const server = await openDouble(transport);
    server.answer(stream([await message(1)], "hang"), stream([await message(2)], "hang"));
    const tail = server.client({ heartbeatMs: 50 }).tailEvents({ since: 0 });
    expect(await take(tail, 2)).toEqual([1, 2]);
  });

  test("ends, without an error, when the signal fires", async () => {
    const server = await openDouble(transport);
    server.answer(stream([await message(1)], "hang"));
    const stop = new AbortController();
    const seen: number[] = [];
    for await (const { seq } of server.client().tailEvents({ since: 0, signal: stop.signal })) {
      seen.push(seq);
      setTimeout(() => stop.abort(), 10);
    }
    expect(seen).toEqual([1]);
  });
});

test("ends also while it waits for the next attempt", async () => {
  const server = await openDouble();
  server.answer(stream([], "end"), problem(503, "closed", { "retry-after": "60" }));
  const stop = new AbortController();
  setTimeout(() => stop.abort(), 50);
  const tail = server.client().tailEvents({ since: 0, signal: stop.signal });
  expect(await take(tail, 1)).toEqual([]);
});

test("goes on for as long as it takes, once it was connected", async () => {
  const server = await openDouble();
  const down = Array.from({ length: 20 }, () => problem(503, "storage_unavailable"));
  server.answer(stream([await message(1)], "end"), ...down, stream([await message(2)], "hang"));
  expect(await take(server.client().tailEvents({ since: 0 }), 2)).toEqual([1, 2]);
});

test.each([
  ["a refusal", problem(403, "permission_denied"), "permission_denied"],
  ["what is no event", stream(["data: {}\n\n"], "hang"), "internal"],
  ["what is no JSON", stream(["data: no\n\n"], "hang"), "internal"],
])("throws %s", async (_, answer, code) => {
  const server = await openDouble();
  server.answer(answer);
  await expect(take(server.client().tailEvents({ since: 0 }), 1)).rejects.toMatchObject({ code });
  expect(server.seen).toHaveLength(1);
});

test("reads a page of events, as JSON and as the log keeps them", async () => {
  const server = await openDouble();
  const [one, two] = [await eventBytes(1), await eventBytes(2)];
  server.answer((request, response) => {
    if (request.headers.accept === "application/json") {
      response.writeHead(200, { "content-type": "application/json" });
      const items = [encodeEvent(one), encodeEvent(two)];
      response.end(JSON.stringify({ items, scanned_to: 9, head: 12 }));
      return;
    }
    response.writeHead(200, {
      "content-type": "application/cbor-seq",
      "store-scanned-to": "9",
      "store-log-head": "12",
    });
    for (const { header, payload } of [one, two]) response.write(encodeCbor([header, payload]));
    response.end();
  });
  const client = server.client();
  const query = { after: 0, limit: 10, subject: "acme/app" };
  expect(await client.readEvents(query)).toEqual({
    items: [encodeEvent(one), encodeEvent(two)],
    scannedTo: 9,
    head: 12,
  });
  expect(await client.readStoredEvents(query)).toEqual({
    items: [one, two],
    scannedTo: 9,
    head: 12,
  });
  expect(server.seen[0]?.url).toBe("/api/v1/events?since=0&limit=10&subject=acme%2Fapp");
});

test("holds a stored event's payload against its header", async () => {
  const server = await openDouble();
  const { header } = await eventBytes(1);
  const sequences: [Uint8Array, string][] = [
    [encodeCbor([header, encodeCbor({ note: "another" })]), "log_corrupt"],
    [encodeCbor([encodeCbor({ seq: 1 }), new Uint8Array()]), "invalid_event"],
    [encodeCbor([new Uint8Array(300).fill(0xff), new Uint8Array()]), "invalid_cbor"],
    [encodeCbor([header]), "invalid_cbor"],
    [encodeCbor({}), "invalid_cbor"],
    [encodeCbor([header, new Uint8Array(70_000)]).subarray(0, 60_000), "invalid_cbor"],
    [new Uint8Array([0x82, 0x58]), "invalid_cbor"],
  ];
  for (const [bytes, code] of sequences) {
    server.answer((_, response) => {
      response.writeHead(200, { "content-type": "application/cbor-seq" }).end(bytes);
    });
    await expect(server.client().readStoredEvents()).rejects.toMatchObject({ code });
  }
});
