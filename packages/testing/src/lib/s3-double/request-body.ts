import type { IncomingMessage, ServerResponse } from "node:http";
import type { S3Fault } from "./faults.ts";

/** Thrown where a fault has cut the connection: nobody is left to be answered. */
export class ConnectionCut extends Error {}

/** The body as it travels. The client that waits for `100 Continue` hears it with the first read. */
export async function* requestBody(
  http: IncomingMessage,
  response: ServerResponse,
  awaitsContinue: boolean,
  fault: S3Fault | undefined,
): AsyncGenerator<Buffer> {
  if (awaitsContinue) response.writeContinue();
  const limit = fault?.effect === "reset-request" ? fault.afterBytes : Infinity;
  let seen = 0;
  // The request must outlive an error, which is answered on its connection.
  for await (const bytes of http.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    if (seen + bytes.length >= limit) {
      yield bytes.subarray(0, limit - seen);
      http.socket.resetAndDestroy();
      throw new ConnectionCut();
    }
    seen += bytes.length;
    yield bytes;
  }
}
