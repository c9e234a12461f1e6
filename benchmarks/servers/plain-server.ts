// What Node.js does by itself, for benchmarks: writes uploads to a file, sends a file. Tells its
// parent where it listens, and ends when the parent leaves.
import { once } from "node:events";
import { open } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

const folder = process.argv[2] ?? "";
const slabBytes = 1024 * 1024;
let uploads = 0;

/** Gathers what arrives into slabs, and writes while the next one fills. */
async function receive(request: IncomingMessage, durable: boolean): Promise<void> {
  uploads += 1;
  const file = await open(join(folder, `upload-${uploads}`), "wx");
  let [slab, other] = [Buffer.allocUnsafe(slabBytes), Buffer.allocUnsafe(slabBytes)];
  let filled = 0;
  let writing: Promise<unknown> | undefined;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    for (let taken = 0; taken < chunk.length;) {
      const size = Math.min(chunk.length - taken, slabBytes - filled);
      chunk.copy(slab, filled, taken, taken + size);
      taken += size;
      filled += size;
      if (filled < slabBytes) continue;
      await writing;
      writing = file.write(slab, 0, filled);
      [slab, other] = [other, slab];
      filled = 0;
    }
  }
  await writing;
  if (filled > 0) await file.write(slab, 0, filled);
  if (durable) await file.sync();
  await file.close();
}

async function send(response: ServerResponse, name: string): Promise<void> {
  const file = await open(join(folder, name));
  const { size } = await file.stat();
  response.writeHead(200, { "content-length": size });
  for (let position = 0; position < size;) {
    const { bytesRead, buffer } = await file.read(
      Buffer.allocUnsafe(slabBytes),
      0,
      slabBytes,
      position,
    );
    position += bytesRead;
    if (!response.write(buffer.subarray(0, bytesRead))) await once(response, "drain");
  }
  response.end();
  await file.close();
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method === "GET") return send(response, (request.url ?? "").slice(1));
  await receive(request, request.url === "/durable");
  response.writeHead(201).end();
}

const server = createServer((request, response) => {
  answer(request, response).catch((error: unknown) => response.destroy(error as Error));
});
server.listen(0, "127.0.0.1");
await once(server, "listening");
process.send?.({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
process.once("disconnect", () => process.exit(0));
