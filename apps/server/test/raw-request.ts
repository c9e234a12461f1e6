import { connect } from "node:net";

/**
 * Sends a request byte by byte as a test wrote it, and gives the whole answer as latin1 text once
 * the server has closed the connection.
 */
export async function rawRequest(
  port: number,
  lines: readonly string[],
  body: string | Uint8Array = "",
  { hangUp = false } = {},
): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1" });
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.on("error", () => undefined);
  const closed = new Promise<void>((resolve) => void socket.once("close", () => resolve()));
  const [line = "", ...fields] = lines;
  const head = [line, "host: 127.0.0.1", "connection: close", ...fields].join("\r\n");
  socket.write(`${head}\r\n\r\n`);
  socket.write(body);
  if (hangUp) socket.end();
  await closed;
  return Buffer.concat(chunks).toString("latin1");
}
