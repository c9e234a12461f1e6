/**
 * Stages bytes without end, under a claim or not, and prints the id, and how many bytes are durable
 * after each sync.
 *
 *     node stage-for-ever.ts <options as JSON> <claim or nothing>
 */
import { writeSync } from "node:fs";
import { parseContentAddress } from "@store/identity";
import { openS3Storage, type S3StorageOptions } from "@store/storage-s3";
import { sampleBytes } from "@store/storage/conformance";

const [optionsText = "", claim = ""] = process.argv.slice(2);
const backend = await openS3Storage(JSON.parse(optionsText) as S3StorageOptions);
const options = claim === "" ? {} : { claim: parseContentAddress(claim) };
const staged = await backend.stage({ lease: "test", ...options });
const slab = sampleBytes(1024 * 1024);

for (;;) {
  for (let written = 0; written < 7; written++) await staged.write(slab);
  // After more than is held in memory the first time.
  if (staged.sizeBytes < 20 * slab.length) continue;
  const durableBytes = await staged.sync();
  // Synchronous, so that what was printed is in the pipe when the process is killed.
  writeSync(1, `${JSON.stringify({ id: staged.id, durableBytes })}\n`);
}
