import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { openRegistry, type Registry } from "@store/registry";
import { openLocalStorage } from "@store/storage-local";
import type { StorageBackend } from "@store/storage";
import { account, proving, rounds } from "@store/testing/prove";
import { createTestDatabase } from "@store/testing/postgres";
import { describe, expect, test } from "vitest";

import { dialects, type Dialect } from "./instance.ts";
import { newPackage } from "./uploads.ts";
import { addressOfStream, streamOf } from "./upload-stream.ts";

const MIB = 1024 * 1024;
const killings = rounds(20);
const sizeBytes = (proving ? 2048 : 48) * MIB + 12_345;
const program = fileURLToPath(new URL("./programs/append-upload.ts", import.meta.url));

interface Place extends AsyncDisposable {
  readonly database: string;
  readonly root: string;
  readonly primary: StorageBackend;
  readonly registry: Registry;
}

async function openPlace(dialect: Dialect): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), "store-uploads-"));
  const root = join(folder, "objects");
  const postgres = dialect === "postgres" ? await createTestDatabase() : undefined;
  const database = postgres?.url ?? `sqlite:${join(folder, "store.db")}`;
  const primary = await openLocalStorage({ root });
  const registry = await openRegistry({
    database,
    backends: { primary },
    actor: "sender",
    uploadLockMs: 1_000,
  });
  return {
    database,
    root,
    primary,
    registry,
    [Symbol.asyncDispose]: async () => {
      await registry.close();
      await primary.close();
      await postgres?.drop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A process that goes on with an upload; its lines, and the word to kill it. */
function startSender(place: Place, uploadId: string, pauseMs: number) {
  const args = [place.database, place.root, uploadId, String(sizeBytes), String(pauseMs)];
  const child = spawn(process.execPath, [program, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  return {
    nextLine: async (): Promise<string> => {
      const line = await lines.next();
      return line.done === true ? "" : line.value;
    },
    kill: async (): Promise<void> => {
      child.kill("SIGKILL");
      await ended;
    },
    ended,
  };
}

describe.each(dialects)("an upload whose senders are processes, with %s,", (dialect) => {
  test("goes on after each that is killed, and arrives whole", async () => {
    await using place = await openPlace(dialect);
    const { registry, primary } = place;
    const { id } = await registry.createUpload({ sizeBytes });
    let durable = 0;
    let killed = 0;
    // Slow enough that a life ends before the upload does, where there are many of them.
    const pauseMs = proving ? 4 : 20;
    for (; killed < killings; killed += 1) {
      const sender = startSender(place, id, pauseMs);
      const began = await sender.nextLine();
      if (!began.startsWith("begun ")) break;
      const offset = Number(began.slice("begun ".length));
      expect(offset).toBeGreaterThanOrEqual(durable);
      await sleep(Math.random() * 400);
      await sender.kill();
      const upload = await registry.getUpload(id, { settled: true });
      expect(upload.offsetBytes).toBeGreaterThanOrEqual(offset);
      durable = upload.offsetBytes;
      if (upload.status === "complete") break;
      expect(await registry.sweep()).toMatchObject({ stagedDiscarded: 0, uploadsExpired: 0 });
    }
    const upload = await registry.getUpload(id, { settled: true });
    const memory = process.memoryUsage().rss;
    const complete = await registry.appendUpload(
      id,
      upload.offsetBytes,
      asynchronous(streamOf(sizeBytes, upload.offsetBytes)),
    );
    const grownBytes = Math.max(process.memoryUsage().rss - memory, 0);
    expect(complete).toMatchObject({
      status: "complete",
      offsetBytes: sizeBytes,
      address: await addressOfStream(sizeBytes),
    });
    const packageId = await newPackage(registry);
    await registry.addFile(packageId, "a", { upload: id });
    await registry.finalizePackage(packageId);
    expect(await registry.verifyPackage(packageId)).toMatchObject({ problems: [] });
    expect(await Array.fromAsync(primary.listStaged())).toEqual([]);
    account("uploads", { dialect, killed, sizeBytes, durableBytes: durable, grownBytes });
  });

  test("is taken over from a process that lives, which keeps all that it got", async () => {
    await using place = await openPlace(dialect);
    const { registry } = place;
    const { id } = await registry.createUpload({ sizeBytes });
    const sender = startSender(place, id, 20);
    expect(await sender.nextLine()).toBe("begun 0");
    await sleep(300);
    const upload = await registry.getUpload(id, { settled: true });
    expect(upload.offsetBytes).toBeGreaterThan(0);
    expect(await sender.nextLine()).toBe("upload_locked");
    await sender.ended;
    const rest = asynchronous(streamOf(sizeBytes, upload.offsetBytes));
    const complete = await registry.appendUpload(id, upload.offsetBytes, rest);
    expect(complete.address).toBe(await addressOfStream(sizeBytes));
  });
});

async function* asynchronous(chunks: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* chunks;
}
