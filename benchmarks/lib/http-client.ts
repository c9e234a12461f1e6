import { once } from "node:events";
import { Agent, request, type IncomingMessage } from "node:http";

const agent = new Agent({ keepAlive: true });

interface Call {
  readonly method: string;
  readonly url: string;
  readonly token?: string;
  readonly json?: unknown;
}

/** Sends a request with a body of JSON, or none, and reads the answer's JSON. */
export async function callJson<T>({ method, url, token, json }: Call): Promise<T> {
  const body = json === undefined ? undefined : JSON.stringify(json);
  const sent = request(url, {
    method,
    agent,
    headers: {
      ...authorization(token),
      ...(body === undefined
        ? {}
        : { "content-type": "application/json", "content-length": Buffer.byteLength(body) }),
    },
  });
  sent.end(body);
  const response = await answerOf(sent);
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
  return JSON.parse(Buffer.concat(chunks).toString()) as T;
}

/** Uploads what the source gives. */
export async function upload(
  { method, url, token }: Call,
  source: Iterable<Uint8Array>,
  sizeBytes: number,
): Promise<void> {
  const headers = { ...authorization(token), "content-length": sizeBytes };
  const sent = request(url, { method, agent, headers });
  for (const chunk of source) if (!sent.write(chunk)) await once(sent, "drain");
  sent.end();
  (await answerOf(sent)).resume();
}

/** Downloads, and keeps nothing; gives how many bytes came. */
export async function download({ method, url, token }: Call): Promise<number> {
  const sent = request(url, { method, agent, headers: authorization(token) });
  sent.end();
  const response = await answerOf(sent);
  let sizeBytes = 0;
  response.on("data", (chunk: Buffer) => (sizeBytes += chunk.length));
  await once(response, "end");
  return sizeBytes;
}

function authorization(token: string | undefined): Record<string, string> {
  return token ? { authorization: `Bearer ${token}` } : {};
}

async function answerOf(sent: ReturnType<typeof request>): Promise<IncomingMessage> {
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  const { statusCode = 0 } = response;
  if (statusCode >= 400) throw new Error(`${sent.method} ${sent.path} was answered ${statusCode}.`);
  return response;
}
