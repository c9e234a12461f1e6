import type { ServerResponse } from "node:http";

import type { BytesReply } from "./handler.ts";

/** What became of an answer's body. */
export interface SentBytes {
  /** Bytes of the body that were handed to the connection. */
  readonly sizeBytes: number;
  /**
   * `whole`: all of it was handed over. `gone`: the client left before, or took too long. `cut`: the
   * bytes failed, and the connection was closed, so that nobody takes the part for the whole.
   */
  readonly outcome: "whole" | "gone" | "cut";
  /** Why the body was cut. */
  readonly cause?: unknown;
}

/**
 * Writes an answer straight to Node's response, as fast as the client takes it. Nothing is sent
 * before the first chunk is there: if that fails, this throws with the response untouched, so that
 * a problem can be the answer. Resolves when all of it was handed to the connection, or it ended.
 */
export async function sendBytes(
  response: ServerResponse,
  { status, headers, bytes }: BytesReply,
): Promise<SentBytes> {
  if (isStream(bytes)) return await new Pump(response, status, headers).run(bytes);
  // 204 and 304 have no length of their own (RFC 9110 §8.6).
  const sized = bytes !== undefined || (status !== 204 && status !== 304);
  const sizeBytes = bytes === undefined ? 0 : Buffer.byteLength(bytes);
  const length = sized ? { "content-length": String(sizeBytes) } : {};
  response.writeHead(status, { ...length, ...headers });
  if (sizeBytes > 0) response.end(bytes);
  else response.end();
  return { sizeBytes, outcome: "whole" };
}

/** Whether a body comes piece by piece. */
export function isStream(bytes: BytesReply["bytes"]): bytes is AsyncIterable<Uint8Array> {
  return typeof bytes === "object" && !(bytes instanceof Uint8Array);
}

class Pump {
  readonly #response: ServerResponse;
  readonly #status: number;
  readonly #headers: Readonly<Record<string, string>>;
  #sizeBytes = 0;

  constructor(response: ServerResponse, status: number, headers: Readonly<Record<string, string>>) {
    this.#response = response;
    this.#status = status;
    this.#headers = headers;
  }

  async run(chunks: AsyncIterable<Uint8Array>): Promise<SentBytes> {
    const response = this.#response;
    const iterator = chunks[Symbol.asyncIterator]();
    try {
      await this.#pump(iterator);
      if (isGone(response)) return this.#ended("gone");
      const declared = this.#headers["content-length"];
      if (declared !== undefined && Number(declared) !== this.#sizeBytes) {
        throw new Error(`The body has ${this.#sizeBytes} bytes, not ${declared}.`);
      }
      if (!response.headersSent) response.writeHead(this.#status, this.#headers);
      response.end();
      return this.#ended("whole");
    } catch (cause) {
      if (isGone(response)) return this.#ended("gone");
      if (!response.headersSent) throw cause;
      return this.#cut(cause);
    } finally {
      await release(iterator);
    }
  }

  /** Writes chunk after chunk; the next is read and verified while the client takes one. */
  async #pump(iterator: AsyncIterator<Uint8Array>): Promise<void> {
    const response = this.#response;
    let next = iterator.next();
    for (let result = await next; result.done !== true; result = await next) {
      if (isGone(response)) return;
      if (!response.headersSent) response.writeHead(this.#status, this.#headers);
      this.#sizeBytes += result.value.length;
      const isTaken = response.write(result.value);
      next = iterator.next();
      if (isTaken) continue;
      // Where it fails meanwhile, that is seen once the client has taken what came before.
      next.catch(() => undefined);
      await this.#drained();
    }
  }

  /** Resolves once the client has taken what was written, or is gone. */
  async #drained(): Promise<void> {
    const response = this.#response;
    if (isGone(response)) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    response.once("drain", resolve).once("close", resolve);
    await promise;
    response.off("drain", resolve).off("close", resolve);
  }

  #ended(outcome: "whole" | "gone"): SentBytes {
    return { sizeBytes: this.#sizeBytes, outcome };
  }

  /** Without the end that it was promised, a client knows that its copy is not whole. */
  #cut(cause: unknown): SentBytes {
    this.#response.destroy();
    return { sizeBytes: this.#sizeBytes, outcome: "cut", cause };
  }
}

/** Frees what a body holds; whatever went wrong before is what is told. */
async function release(iterator: AsyncIterator<Uint8Array>): Promise<void> {
  try {
    await iterator.return?.();
  } catch {
    // It has ended, one way or the other.
  }
}

function isGone(response: ServerResponse): boolean {
  return response.destroyed || response.socket?.destroyed === true;
}
