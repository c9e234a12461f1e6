import { createReadStream } from "node:fs";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { contentAddress, createDualHasher, type ContentAddress } from "@store/identity";
import { account, proving, rounds } from "@store/testing/prove";
import { Upload, type UploadOptions } from "tus-js-client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { startServerProcess, type ServerProcess } from "./server-process.ts";

const mebibyte = 1 << 20;
const sizeBytes = (proving ? 2048 : 64) * mebibyte;
const cuts = rounds(20);

/** A linear congruential generator (Numerical Recipes), so that a failure can be seen again. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

let folder: string;
let source: string;
let address: ContentAddress;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "store-tus-"));
  source = join(folder, "source");
  const random = createRandom(7);
  const block = Buffer.from(
    Uint32Array.from({ length: mebibyte / 4 }, () => random() * 2 ** 32).buffer,
  );
  const file = await open(source, "w");
  const hasher = await createDualHasher();
  for (let index = 0; index < sizeBytes / mebibyte; index += 1) {
    block.writeUInt32LE(index);
    hasher.update(block);
    await file.write(block);
  }
  await file.close();
  address = contentAddress(hasher.digest().primary);
}, 60_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

async function serve(name: string): Promise<ServerProcess> {
  return await startServerProcess(await mkdtemp(join(folder, name)));
}

interface Sending {
  readonly upload: Upload;
  /** What the server made of it. */
  readonly done: Promise<string | undefined>;
}

function send({ url }: ServerProcess, options: UploadOptions = {}): Sending {
  const { promise, resolve, reject } = Promise.withResolvers<string | undefined>();
  promise.catch(() => undefined);
  const upload = new Upload(createReadStream(source), {
    endpoint: `${url}/api/v1/uploads`,
    retryDelays: Array.from({ length: 100 }, () => 100),
    metadata: { filename: "source" },
    onSuccess: ({ lastResponse }) => resolve(lastResponse.getHeader("Store-Object")),
    onError: reject,
    ...options,
  });
  upload.start();
  return { upload, done: promise };
}

/** Resolves when an upload has sent so much; then goes on telling the next. */
function passing(positions: readonly number[], reached: (position: number) => void) {
  const waiting = [...positions];
  return (sentBytes: number) => {
    const [next] = waiting;
    if (next === undefined || sentBytes < next) return;
    waiting.shift();
    reached(next);
  };
}

describe("tus-js-client, as it is", () => {
  it("uploads a file", async () => {
    await using server = await serve("whole-");
    expect(await send(server).done).toBe(address);
  });

  it("uploads a file by chunks, its first bytes with the creation, and by POST alone", async () => {
    await using server = await serve("chunks-");
    const { done } = send(server, {
      chunkSize: Math.ceil(sizeBytes / 5),
      uploadDataDuringCreation: true,
      overridePatchMethod: true,
    });
    expect(await done).toBe(address);
  });

  it("goes on after a pause, though server and client were started again meanwhile", async () => {
    await using server = await serve("paused-");
    const half = Promise.withResolvers<void>();
    const onProgress = passing([sizeBytes / 2], () => half.resolve());
    const { upload } = send(server, { onProgress });
    await half.promise;
    await upload.abort();
    await server.restart("SIGTERM");
    const resumedAt: number[] = [];
    const { done } = send(server, {
      uploadUrl: upload.url,
      onProgress: (sentBytes) => void resumedAt.push(sentBytes),
    });
    expect(await done).toBe(address);
    expect(resumedAt[0]).toBeGreaterThan(0);
  });

  it(
    `sends a file whole though it is cut ${cuts} times at random, by either side`,
    { timeout: proving ? 600_000 : 60_000 },
    async () => {
      await using server = await serve("cut-");
      const random = createRandom(42);
      const positions = Array.from({ length: cuts }, () => random() * sizeBytes).toSorted(
        (one, other) => one - other,
      );
      const kinds = { client: 0, killed: 0, closed: 0 };
      const cut = () => {
        const kind =
          (["killed", "client", "closed"] as const)[Math.floor(random() * 3)] ?? "client";
        kinds[kind] += 1;
        if (kind === "client") server.cut();
        else void server.restart(kind === "killed" ? "SIGKILL" : "SIGTERM");
      };
      const { done } = send(server, { onProgress: passing(positions, cut) });
      expect(await done).toBe(address);
      expect(kinds.client + kinds.killed + kinds.closed).toBe(cuts);
      const peakBytes = await server.peakBytes();
      account("an upload by tus-js-client, cut at random", {
        sizeBytes,
        ...kinds,
        peakServerBytes: peakBytes,
      });
      expect(peakBytes).toBeLessThan(200 * mebibyte);
    },
  );
});
