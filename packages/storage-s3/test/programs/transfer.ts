/**
 * Writes objects of `mib` MiB, some at once, every second one under a claim, reads each back whole,
 * removes it, and prints the most memory that the process had.
 *
 *     node transfer.ts <options as JSON> <mib> <at once>
 */
import { parseContentAddress } from "@store/identity";
import { openS3Storage, type S3StorageOptions } from "@store/storage-s3";
import { sampleBytes } from "@store/storage/conformance";

const [optionsText = "", mibText = "", countText = ""] = process.argv.slice(2);
const mib = Number(mibText);
const backend = await openS3Storage(JSON.parse(optionsText) as S3StorageOptions);
const slab = Buffer.from(sampleBytes(1024 * 1024));

async function transfer(number: number): Promise<number> {
  const address = parseContentAddress(`blake3:${String(number).padStart(64, "0")}`);
  const claim = number % 2 === 0 ? { claim: address } : {};
  const staged = await backend.stage({ lease: "test", ...claim });
  for (let written = 0; written < mib; written++) await staged.write(slab);
  await staged.commit(address);
  let readBytes = 0;
  for await (const { length } of backend.open(address, { reuseChunks: true })) readBytes += length;
  await backend.remove(address);
  return readBytes;
}

const numbers = Array.from({ length: Number(countText) }, (_, index) => index);
const readBytes = await Promise.all(numbers.map(transfer));
await backend.close();
const peakBytes = process.resourceUsage().maxRSS * 1024;
console.log(JSON.stringify({ readBytes, peakBytes }));
