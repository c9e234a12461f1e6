import { encodeObjectWork, type ObjectWorkProgress } from "@store/api";
import { describe, expect, test } from "vitest";

import { json, openDouble, problem, type Answer } from "./double.ts";
import { sampleBytes } from "./samples.ts";

const started: ObjectWorkProgress = {
  objects: 0,
  sizeBytes: 0,
  changed: 0,
  copied: 0,
  removed: 0,
  skipped: 0,
  problemCount: 0,
  problems: [],
  total: 3,
  done: false,
  resumed: false,
};

function progress(objects: number, more: Partial<ObjectWorkProgress> = {}): ObjectWorkProgress {
  return { ...started, objects, ...more };
}

const bodies: unknown[] = [];

/** Answers with lines, and then as it is told. */
function lines(values: readonly object[], end: "end" | "cut" = "end"): Answer {
  return async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    bodies.push(JSON.parse(Buffer.concat(chunks).toString()));
    response.writeHead(200, { "content-type": "application/x-ndjson" });
    const text = values.map((value) => `${JSON.stringify(value)}\n`).join("");
    // In the middle of a line, as the network has it.
    response.write(text.slice(0, 10));
    response.write(text.slice(10), () => {
      if (end === "end") response.end();
      else setTimeout(() => response.destroy(), 5);
    });
  };
}

const written = (...all: readonly ObjectWorkProgress[]) => all.map((one) => encodeObjectWork(one));

describe("a work on the copies of objects", () => {
  test("gives the progress that the server tells, to its end", async () => {
    const server = await openDouble();
    const { address } = await sampleBytes(1);
    const found = { address, backend: "mirror", code: "object_corrupt", message: "Bad." } as const;
    const all = [
      progress(1, { position: address, problems: [found], problemCount: 1 }),
      progress(3, { position: address, sizeBytes: 30, changed: 2, problemCount: 1, done: true }),
    ];
    server.answer(lines(written(...all)));
    const work = server.client().verifyObjects({ backend: "mirror", concurrency: 4 });
    expect(await Array.fromAsync(work)).toEqual(all);
    expect(bodies.pop()).toEqual({ backend: "mirror", concurrency: 4 });
    expect(server.seen).toMatchObject([{ method: "POST", url: "/api/v1/objects/verify" }]);
  });

  test("goes on where it was when the connection breaks, without beginning anew", async () => {
    const server = await openDouble();
    bodies.length = 0;
    const closed = {
      type: "about:blank",
      title: "Closed",
      status: 503,
      detail: "Bye.",
      code: "closed",
    };
    server.answer(
      problem(503, "database_unavailable"),
      lines(written(progress(1)), "cut"),
      lines([...written(progress(2, { resumed: true })), closed]),
      lines(written(progress(3, { resumed: true, done: true }))),
    );
    const work = server.client().replicateObjects({ to: "mirror", from: "primary", restart: true });
    const counts: number[] = [];
    for await (const { objects } of work) counts.push(objects);
    expect(counts).toEqual([1, 2, 3]);
    expect(bodies).toEqual([
      { to: "mirror", from: "primary", restart: true },
      { to: "mirror", from: "primary" },
      { to: "mirror", from: "primary" },
    ]);
  });

  test("throws what the server refuses, before its first line or after", async () => {
    const server = await openDouble();
    server.answer(problem(400, "invalid_argument", {}, { candidates: ["primary", "mirror"] }));
    const refused = Array.fromAsync(server.client().evacuateObjects({ from: "mirrow" }));
    await expect(refused).rejects.toMatchObject({
      code: "invalid_argument",
      context: { candidates: ["primary", "mirror"] },
    });
    const late = {
      type: "about:blank",
      title: "Full",
      status: 507,
      detail: "No room.",
      code: "storage_full",
    };
    server.answer(lines([...written(progress(1)), late]));
    const failed = Array.fromAsync(server.client().evacuateObjects({ from: "mirror" }));
    await expect(failed).rejects.toMatchObject({ code: "storage_full", message: "No room." });
  });

  test("gives up where nothing comes of trying again", async () => {
    const server = await openDouble();
    server.answer(lines(written(progress(1)), "cut"));
    const work = Array.fromAsync(
      server.client({ retry: { attempts: 3, firstDelayMs: 1 } }).verifyObjects(),
    );
    await expect(work).rejects.toMatchObject({ code: "storage_unavailable" });
    expect(server.seen.length).toBeGreaterThanOrEqual(3);
  });

  test("refuses lines that are none", async () => {
    const server = await openDouble();
    server.answer(lines([{ done: true }]));
    const work = Array.fromAsync(server.client().verifyObjects());
    await expect(work).rejects.toMatchObject({ code: "internal" });
  });

  test("ends at the server when the loop is left, and with the signal", async () => {
    const server = await openDouble();
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    const endless: Answer = (request, response) => {
      request.socket.on("close", () => resolve());
      response.writeHead(200, { "content-type": "application/x-ndjson" });
      response.write(`${JSON.stringify(encodeObjectWork(progress(1)))}\n`);
    };
    server.answer(endless);
    for await (const { objects } of server.client().verifyObjects()) {
      expect(objects).toBe(1);
      break;
    }
    await closed;
    const controller = new AbortController();
    const read = async (): Promise<void> => {
      const { signal } = controller;
      for await (const _ of server.client().verifyObjects({ signal })) controller.abort();
    };
    await expect(read()).rejects.toMatchObject({ code: "aborted" });
  });
});

test("backends and the copies of an object are what the server says", async () => {
  const server = await openDouble();
  const { address, sha256 } = await sampleBytes(1);
  const time = "2026-01-02T03:04:05.678Z";
  const primary = { name: "primary", kind: "s3", use: "primary", status: "ok" };
  const copy = { backend: "primary", configured: true, status: "ok", restore: "none" };
  server.answer(
    json(200, { items: [{ ...primary, damaged_count: 2 }] }),
    json(200, {
      content_address: address,
      sha256,
      size: 1,
      copies: [{ ...copy, stored_at: time, tier: "hot" }],
    }),
  );
  const client = server.client();
  expect(await client.listBackends()).toEqual([{ ...primary, damagedCopies: 2 }]);
  const locations = {
    object: { address, sha256, sizeBytes: 1 },
    copies: [{ ...copy, storedAt: time, tier: "hot" }],
  };
  expect(await client.locateObject(address)).toEqual(locations);
  expect(await client.restoreObject(address, { days: 3, speed: "bulk" })).toEqual(locations);
  expect(server.seen.at(-1)).toMatchObject({
    method: "POST",
    url: `/api/v1/objects/${encodeURIComponent(address)}/restore`,
    headers: { "idempotency-key": expect.any(String) },
  });
});
