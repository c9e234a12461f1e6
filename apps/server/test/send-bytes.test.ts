import { once } from "node:events";
import { createServer, request, type IncomingMessage, type RequestOptions } from "node:http";
import type { AddressInfo } from "node:net";

import { describe, expect, it } from "vitest";

import type { BytesReply } from "../src/lib/http/handler.ts";
import { sendBytes, type SentBytes } from "../src/lib/http/send-bytes.ts";

interface Served {
  get(options?: RequestOptions): Promise<IncomingMessage>;
  readonly sent: Promise<SentBytes>;
  close(): Promise<void>;
}

/** Answers with one reply, as the server would. */
async function serve(reply: BytesReply): Promise<Served & AsyncDisposable> {
  const { promise: sent, resolve, reject } = Promise.withResolvers<SentBytes>();
  sent.catch(() => undefined);
  const server = createServer((_, response) => {
    sendBytes(response, reply).then(resolve, (error: unknown) => {
      reject(error);
      response.writeHead(500).end();
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const close = async () => {
    server.closeAllConnections();
    server.close();
  };
  return {
    sent,
    close,
    get: async (more = {}) => {
      const asking = request({ host: "127.0.0.1", port, ...more }).end();
      const [answer] = (await once(asking, "response")) as [IncomingMessage];
      return answer;
    },
    [Symbol.asyncDispose]: close,
  };
}

async function readAll(answer: IncomingMessage): Promise<Buffer> {
  return Buffer.concat((await answer.toArray()) as Buffer[]);
}

const text = { "content-type": "text/plain" };

describe("bytes on their way to a client", () => {
  it("arrive whole, with the length that was declared", async () => {
    const chunks = [Buffer.alloc(1 << 20, 1), Buffer.alloc(3, 2), Buffer.alloc(1 << 20, 3)];
    const bytes = (async function* () {
      yield* chunks;
    })();
    const length = String((2 << 20) + 3);
    await using served = await serve({ status: 200, headers: { "content-length": length }, bytes });
    const answer = await served.get();
    expect(answer.headers["content-length"]).toBe(length);
    expect((await readAll(answer)).equals(Buffer.concat(chunks))).toBe(true);
    expect(await served.sent).toEqual({ sizeBytes: (2 << 20) + 3, outcome: "whole" });
  });

  it("of no length arrive by chunked coding, also when there are none", async () => {
    for (const chunks of [[], ["a", "b"]]) {
      const bytes = (async function* () {
        for (const chunk of chunks) yield Buffer.from(chunk);
      })();
      await using served = await serve({ status: 200, headers: text, bytes });
      const answer = await served.get();
      expect(answer.headers["transfer-encoding"]).toBe("chunked");
      expect(String(await readAll(answer))).toBe(chunks.join(""));
    }
  });

  it("in memory arrive with their length, and an answer without has the length 0", async () => {
    await using inMemory = await serve({ status: 206, headers: text, bytes: Buffer.from("abc") });
    const answer = await inMemory.get();
    expect([answer.statusCode, answer.headers["content-length"]]).toEqual([206, "3"]);
    await using none = await serve({ status: 201, headers: {} });
    expect((await none.get()).headers["content-length"]).toBe("0");
    await using known = await serve({ status: 304, headers: { etag: '"a"' } });
    const unchanged = await known.get();
    expect(unchanged.headers).not.toHaveProperty("content-length");
    expect(unchanged.headers).not.toHaveProperty("transfer-encoding");
  });

  it("that fail before the first leave the answer to a problem", async () => {
    const bytes: AsyncIterable<Uint8Array> = {
      [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error("corrupt")) }),
    };
    await using served = await serve({ status: 200, headers: {}, bytes });
    expect((await served.get()).statusCode).toBe(500);
    await expect(served.sent).rejects.toThrow("corrupt");
  });

  it.each([{ "content-length": "2000" }, {}])(
    "that fail on the way are cut, never ended (%j)",
    async (headers) => {
      const cause = new Error("corrupt");
      const answered = Promise.withResolvers<void>();
      const bytes = (async function* () {
        yield Buffer.alloc(1000);
        await answered.promise;
        throw cause;
      })();
      await using served = await serve({ status: 200, headers, bytes });
      const answer = await served.get();
      answered.resolve();
      await expect(readAll(answer)).rejects.toThrow("aborted");
      expect(await served.sent).toEqual({ sizeBytes: 1000, outcome: "cut", cause });
    },
  );

  it("that are fewer than declared are cut", async () => {
    const bytes = (async function* () {
      yield Buffer.alloc(3);
    })();
    await using served = await serve({ status: 200, headers: { "content-length": "4" }, bytes });
    await expect(served.get().then(readAll)).rejects.toThrow(/aborted|socket hang up/);
    expect(await served.sent).toMatchObject({ outcome: "cut" });
  });

  it("are read no faster than the client takes them, and left when it is gone", async () => {
    let read = 0;
    const released = Promise.withResolvers<void>();
    const bytes = (async function* () {
      try {
        for (;;) {
          read += 1;
          yield Buffer.alloc(1 << 20);
        }
      } finally {
        released.resolve();
      }
    })();
    await using served = await serve({ status: 200, headers: {}, bytes });
    const answer = await served.get();
    answer.pause();
    let before = -1;
    while (before !== read) {
      before = read;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(read).toBeLessThan(64);
    answer.destroy();
    await released.promise;
    expect(await served.sent).toMatchObject({ outcome: "gone" });
  });
});
