import type { ServerResponse } from "node:http";
import { readSegments, release } from "./blobs.ts";
import type { S3Answer } from "./call.ts";
import type { S3Fault } from "./faults.ts";

/** Sends an answer, or as much of it as the fault lets through. */
export async function sendAnswer(
  response: ServerResponse,
  answer: S3Answer,
  fault: S3Fault | undefined,
): Promise<void> {
  const { status, headers, body } = answer;
  try {
    if (fault?.effect === "lose-answer") {
      // The answer before may still be leaving, and the response then has no socket yet.
      response.req.socket.resetAndDestroy();
      return;
    }
    if (typeof body === "string") {
      response.setHeader("content-type", "application/xml");
      response.setHeader("content-length", Buffer.byteLength(body));
    }
    response.writeHead(status, { ...headers });
    if (body === undefined) response.end();
    else await sendBody(response, bodyBytes(body), fault);
  } finally {
    if (body !== undefined && typeof body !== "string") release(body);
  }
}

async function* bodyBytes(body: Exclude<S3Answer["body"], undefined>): AsyncGenerator<Buffer> {
  if (typeof body === "string") yield Buffer.from(body);
  else yield* readSegments(body);
}

async function sendBody(
  response: ServerResponse,
  source: AsyncIterable<Buffer>,
  fault: S3Fault | undefined,
): Promise<void> {
  const limit = fault?.effect === "reset-answer" ? fault.afterBytes : Infinity;
  const wrong = fault?.effect === "corrupt-answer" ? fault.atByte : -1;
  let sent = 0;
  for await (const bytes of source) {
    if (sent + bytes.length >= limit) {
      // What was written must have left before the connection is cut.
      await write(response, bytes.subarray(0, limit - sent));
      response.req.socket.resetAndDestroy();
      return;
    }
    if (wrong >= sent && wrong < sent + bytes.length) {
      bytes.writeUInt8(bytes.readUInt8(wrong - sent) ^ 1, wrong - sent);
    }
    sent += bytes.length;
    if (!(await write(response, bytes))) return;
  }
  response.end();
}

/** Returns whether somebody still listens. */
function write(response: ServerResponse, bytes: Buffer): Promise<boolean> {
  if (response.destroyed) return Promise.resolve(false);
  return new Promise((resolve) => {
    const gone = (): void => resolve(false);
    response.once("close", gone);
    response.write(bytes, (error) => {
      response.off("close", gone);
      resolve(error == null);
    });
  });
}
