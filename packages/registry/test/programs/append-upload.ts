/**
 * Goes on with an upload where it stands, until it is complete, killed, or overtaken. Prints
 * `begun <offset>` when it has the upload, and its outcome at the end. Run as a process of its own:
 *
 *     node append-upload.ts <database url> <objects folder> <upload id> <size> <pause in ms>
 */
import { writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

import { isStoreError } from "@store/identity";
import { openRegistry } from "@store/registry";
import { openLocalStorage } from "@store/storage-local";

import { streamOf } from "../upload-stream.ts";

const [database = "", root = "", uploadId = "", size, pause] = process.argv.slice(2);
const pauseMs = Number(pause);

const primary = await openLocalStorage({ root });
const registry = await openRegistry({
  database,
  backends: { primary },
  actor: "sender",
  uploadLockMs: 1_000,
});

async function* paced(offset: number): AsyncGenerator<Uint8Array> {
  writeSync(1, `begun ${offset}\n`);
  for (const chunk of streamOf(Number(size), offset)) {
    yield chunk;
    if (pauseMs > 0) await sleep(pauseMs);
  }
}

try {
  const { offsetBytes } = await registry.getUpload(uploadId, { settled: true });
  const upload = await registry.appendUpload(uploadId, offsetBytes, paced(offsetBytes));
  writeSync(1, `${upload.status}\n`);
} catch (error) {
  writeSync(1, `${isStoreError(error) ? error.code : String(error)}\n`);
}
await registry.close();
await primary.close();
