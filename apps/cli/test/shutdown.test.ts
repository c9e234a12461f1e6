import { createHash } from "node:crypto";
import { once } from "node:events";
import { request, type ClientRequest, type IncomingMessage } from "node:http";
import { setTimeout } from "node:timers/promises";

import { createClient } from "@store/client";
import { describe, expect, it } from "vitest";

import { contentOf, type Content } from "./load/contents.ts";
import { prepare } from "./load/judge.ts";
import { openSite, type Served } from "./served.ts";

const mebibyte = 1024 * 1024;
const content = contentOf("large", 24 * mebibyte);

describe("a server that is told to end", () => {
  it("lets what is under way end, takes nothing new, and ends with 0", async () => {
    await using site = await openSite({ STORE_DRAIN_SECONDS: "20" });
    const server = await site.serve();
    const { client, id, call } = await begin(server);
    await client.ingestFile(id, "large", content.bytes);
    const file = `/api/v1/packages/${id}/files`;

    const download = call("GET", `${file}/large`);
    download.end();
    const [downloaded] = (await once(download, "response")) as [IncomingMessage];
    const sent = call("PUT", `${file}/sent`, { "content-length": content.bytes.length });
    sent.write(content.bytes.subarray(0, mebibyte));
    const followed = call("GET", "/api/v1/events", { accept: "text/event-stream" });
    followed.end();
    const [events] = (await once(followed, "response")) as [IncomingMessage];
    await setTimeout(200);

    const ended = server.end();
    // What follows the log has no end of its own: it is let go at once.
    for await (const _ of events);
    await expect(client.getPackage(id)).rejects.toMatchObject({ code: "storage_unavailable" });
    expect(await digestOf(downloaded)).toBe(content.sha256);
    const answered = once(sent, "response") as Promise<[IncomingMessage]>;
    sent.end(content.bytes.subarray(mebibyte));
    const [answer] = await answered;
    expect(answer.statusCode).toBe(201);
    expect(JSON.parse(await textOf(answer))).toMatchObject({ sha256: content.sha256 });
    expect((await ended).exitCode).toBe(0);

    const again = await site.serve({ port: server.port });
    const { items } = await client.listFiles(id);
    expect(items.map(({ path }) => path)).toEqual(["large", "sent"]);
    expect((await again.end()).exitCode).toBe(0);
  });

  it("keeps what arrived of an upload that it cannot wait for, which goes on later", async () => {
    await using site = await openSite({ STORE_DRAIN_SECONDS: "1" });
    const server = await site.serve();
    const { client, id, call } = await begin(server);
    const { bytes, sha256 } = content;
    const upload = await client.createUpload({ sizeBytes: bytes.length });
    const arrived = 5 * mebibyte + 17;
    const append = call("PATCH", `/api/v1/uploads/${upload.id}`, {
      "tus-resumable": "1.0.0",
      "upload-offset": 0,
      "content-type": "application/offset+octet-stream",
      "content-length": bytes.length,
    });
    // It sends no more, and does not go away either.
    await new Promise<void>((resolve) => append.write(bytes.subarray(0, arrived), () => resolve()));
    const put = call("PUT", `/api/v1/packages/${id}/files/never`, { "content-length": 10 });
    put.write("half");
    const refused = [outcomeOf(append), outcomeOf(put)];
    await setTimeout(500);
    expect((await server.end()).exitCode).toBe(0);
    for (const outcome of await Promise.all(refused)) expect(outcome).toMatch(/^(503|cut off)$/);

    const again = await site.serve({ port: server.port });
    const offset = await client.getUploadOffset(upload.id);
    expect(offset).toBe(arrived);
    const { address } = await client.appendUpload(upload.id, offset, bytes.subarray(offset));
    expect(address).toBeDefined();
    const added = await client.addFile(id, "large", { upload: upload.id });
    expect(added.sha256).toBe(sha256);
    expect((await client.listFiles(id)).items).toHaveLength(1);
    expect((await again.end()).exitCode).toBe(0);
  });
});

/** An open package, and requests that are written by hand. */
async function begin(server: Served) {
  const { url } = server;
  const { token } = await prepare(server);
  const client = createClient({ url, credential: { token }, retry: false });
  const { id } = await client.createPackage({ namespace: "load", name: "end", version: "1" });
  const call = (
    method: string,
    path: string,
    headers: Readonly<Record<string, string | number>> = {},
  ): ClientRequest => {
    const all = { authorization: `Bearer ${token}`, ...headers };
    return request(`${url}${path}`, { method, headers: all, agent: false });
  };
  return { client, id, call };
}

async function outcomeOf(sent: ClientRequest): Promise<string> {
  try {
    const [answer] = (await once(sent, "response")) as [IncomingMessage];
    answer.on("error", () => {}).resume();
    return String(answer.statusCode);
  } catch {
    return "cut off";
  } finally {
    sent.on("error", () => {}).destroy();
  }
}

async function digestOf(answer: IncomingMessage): Promise<Content["sha256"]> {
  const hash = createHash("sha256");
  for await (const chunk of answer as AsyncIterable<Buffer>) hash.update(chunk);
  return `sha256:${hash.digest("hex")}` as Content["sha256"];
}

async function textOf(answer: IncomingMessage): Promise<string> {
  return Buffer.concat(await Array.fromAsync(answer as AsyncIterable<Buffer>)).toString();
}
