import { createClient, type StoreClient } from "@store/client";
import { nodeTransport } from "@store/client/node";
import { isStoreError } from "@store/identity";
import { createTestDatabase } from "@store/testing/postgres";
import { account, proving } from "@store/testing/prove";
import { describe, expect, it } from "vitest";

import { buildStore } from "./built.ts";
import { openBucket } from "./cluster/bucket.ts";
import { openCluster, type Cluster } from "./cluster/cluster.ts";
import { digestOf, largeSource } from "./cluster/large-source.ts";
import { randomOf } from "./load/contents.ts";
import { findings, prepare } from "./load/judge.ts";

const mebibyte = 1024 * 1024;
// Above 5 GiB no store copies an object at once.
const sizeBytes = (proving ? 5 * 1024 : 512) * mebibyte + 17;
const cuts = proving ? 15 : 9;
// The lock of a server that is killed has to be waited out, for some seconds.
const kills = proving ? 5 : 1;
const limitBytes = 250_000_000;

describe("an upload that goes through three servers", () => {
  it(`arrives whole though it is cut ${cuts} times, in little memory`, async () => {
    const database = await createTestDatabase();
    await using _dropped = { [Symbol.asyncDispose]: () => database.drop() };
    await using built = process.env.P_SRC
      ? { program: "", [Symbol.asyncDispose]: async () => {} }
      : await buildStore();
    await using bucket = await openBucket();
    const env = { ...bucket.env, STORE_LOG_LEVEL: "error", STORE_DATABASE_URL: database.url };
    await using cluster = await openCluster({
      servers: 3,
      env,
      program: built.program,
    });
    const [url = ""] = cluster.urls;
    const { token } = await prepare({ url, setupToken: cluster.setupToken });

    using connections = Object.assign(nodeTransport(), {
      [Symbol.dispose]: () => connections.close(),
    });
    const clients = cluster.urls.map((one) =>
      createClient({
        url: one,
        credential: { token },
        transport: connections,
        retry: { attempts: 100, longestDelayMs: 500 },
      }),
    );
    const sha256 = await digestOf(largeSource(sizeBytes));
    const sent = await sendThrough(cluster, clients);
    const [client] = clients;
    if (client === undefined) throw new Error("There is no server.");
    const { id } = await client.createPackage({ namespace: "load", name: "large", version: "1" });
    const added = await client.addFile(id, "large", { upload: sent.uploadId });
    expect(added).toMatchObject({ sha256, sizeBytes });
    await client.finalizePackage(id);
    const peakServerBytes = await cluster.peakBytes();
    for (const reader of clients) {
      const { body } = await reader.getFile(id, "large");
      expect(await digestOf(body)).toBe(sha256);
    }
    account("an upload through three servers", {
      sizeBytes,
      cuts,
      ...cluster.counts,
      sentTwiceBytes: sent.sentTwiceBytes,
      uncut: sent.uncut.join("; "),
      peakServerBytes,
      peakServerBytesOnceRead: await cluster.peakBytes(),
    });
    for (const index of cluster.running()) await cluster.end(index, "SIGTERM");
    expect([...cluster.wrong, ...(await findings(cluster.site))]).toEqual([]);
    expect(peakServerBytes).toBeLessThan(limitBytes);
  });
});

interface Sent {
  readonly uploadId: string;
  readonly sentTwiceBytes: number;
  /** Why appends ended that nobody had cut, by code. */
  readonly uncut: readonly string[];
}

/** Sends everything, cut again and again, each time on to the next server. */
async function sendThrough(cluster: Cluster, clients: readonly StoreClient[]): Promise<Sent> {
  const random = randomOf(3);
  const positions = Array.from({ length: cuts }, () => random() * sizeBytes).toSorted(
    (one, other) => one - other,
  );
  const { id: uploadId } = await clientAt(clients, 0).createUpload({ sizeBytes });
  const returning: Promise<void>[] = [];
  const uncut: string[] = [];
  let [offset, sentTwiceBytes, server, cut] = [0, 0, 0, 0];
  for (;;) {
    const position = positions[cut] ?? Infinity;
    const cutting = new AbortController();
    let isCut = false;
    const end = (): void => {
      isCut = true;
      const index = server % clients.length;
      const restart = async (signal: "SIGKILL" | "SIGTERM") => {
        await cluster.end(index, signal);
        await cluster.start(index);
      };
      if (cut % 3 === 1 && cut < 3 * kills) returning.push(restart("SIGKILL"));
      else if (cut % 3 === 2) returning.push(restart("SIGTERM"));
      else cutting.abort();
    };
    const source = passing(largeSource(sizeBytes, offset), position - offset, end);
    const ended = await append(clientAt(clients, server), uploadId, offset, source, cutting.signal);
    if (ended === sizeBytes) break;
    // On to another server, while the one before may still believe that bytes are to come.
    server += 1;
    const durable = await clientAt(clients, server).getUploadOffset(uploadId);
    expect(durable).toBeGreaterThanOrEqual(offset);
    if (isCut) {
      sentTwiceBytes += Math.max(0, Math.round(position) - durable);
      cut += 1;
    } else {
      uncut.push(String(ended));
    }
    offset = durable;
  }
  await Promise.all(returning);
  expect(cut).toBe(cuts);
  return { uploadId, sentTwiceBytes, uncut };
}

/** The offset that was acknowledged, or why none was. */
async function append(
  client: StoreClient,
  uploadId: string,
  offset: number,
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<number | string> {
  try {
    return (await client.appendUpload(uploadId, offset, source, { signal })).offsetBytes;
  } catch (error) {
    if (isStoreError(error)) return `${error.code}: ${error.message}`;
    throw error;
  }
}

/** Calls `reached` once so many bytes were given; then goes on. */
async function* passing(
  bytes: AsyncIterable<Uint8Array>,
  position: number,
  reached: () => void,
): AsyncGenerator<Uint8Array> {
  let given = 0;
  let waits = true;
  for await (const chunk of bytes) {
    yield chunk;
    given += chunk.length;
    if (waits && given >= position) {
      waits = false;
      reached();
    }
  }
}

function clientAt(clients: readonly StoreClient[], index: number): StoreClient {
  const client = clients[index % clients.length];
  if (client === undefined) throw new Error("There is no server.");
  return client;
}
