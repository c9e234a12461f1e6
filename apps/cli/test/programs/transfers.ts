// Large files to a server and back, several at once and without looking at them, for as long as each
// takes; prints how long that was.
import { once } from "node:events";
import { Agent, request, type IncomingMessage } from "node:http";

import type { TransfersOptions } from "../load/processes.ts";

const options = JSON.parse(process.argv[2] ?? "{}") as TransfersOptions;
const { url, token, packageId, sizeBytes, up, down, source } = options;
// Sockets are made with what the agent does not know.
const settings = { keepAlive: true, highWaterMark: 1024 * 1024 };
const agent = new Agent(settings);
const headers = { authorization: `Bearer ${token}` };
const chunk = Buffer.alloc(1024 * 1024, "large ");

async function answerTo(sent: ReturnType<typeof request>, status: number): Promise<number> {
  const [answer] = (await once(sent, "response")) as [IncomingMessage];
  let received = 0;
  for await (const part of answer as AsyncIterable<Buffer>) received += part.length;
  if (answer.statusCode !== status) throw new Error(`A transfer answered ${answer.statusCode}.`);
  return received;
}

async function send(name: string): Promise<void> {
  const target = `${url}/api/v1/packages/${packageId}/files/${name}`;
  const length = { "content-length": sizeBytes };
  const sent = request(target, { method: "PUT", agent, headers: { ...headers, ...length } });
  const answered = answerTo(sent, 201);
  const first = Buffer.from(chunk);
  first.write(name);
  for (let at = 0; at < sizeBytes; at += chunk.length) {
    const part = (at === 0 ? first : chunk).subarray(0, sizeBytes - at);
    if (!sent.write(part)) await once(sent, "drain");
  }
  sent.end();
  await answered;
}

async function receive(): Promise<void> {
  const target = `${url}/api/v1/packages/${packageId}/files/${source}`;
  const sent = request(target, { agent, headers });
  sent.end();
  const received = await answerTo(sent, 200);
  if (received !== sizeBytes) throw new Error(`A download has ${received} bytes.`);
}

const began = performance.now();
await Promise.all([
  ...Array.from({ length: up }, (_, index) => send(`large-${source}-${index}`)),
  ...Array.from({ length: down }, () => receive()),
]);
agent.destroy();
console.log(JSON.stringify({ seconds: (performance.now() - began) / 1000 }));
