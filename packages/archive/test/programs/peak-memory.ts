import { createArchive } from "../../src/index.ts";
import type { ArchiveEntry, ArchiveFormat } from "../../src/index.ts";

/**
 * Writes one archive to nowhere and prints what it took, as JSON. Arguments: format, count of
 * entries, bytes of each.
 */
const [format = "", entries = "", sizeBytes = ""] = process.argv.slice(2);
const chunk = new TextEncoder().encode("All that is gold does not glitter.\n".repeat(30_000));

function* made(): Generator<ArchiveEntry, void, undefined> {
  for (let index = 0; index < Number(entries); index += 1) {
    const path = `some/folder-${index % 100}/file-${String(index).padStart(9, "0")}.txt`;
    yield { path, sizeBytes: Number(sizeBytes), executable: false, open };
  }
}

async function* open(): AsyncGenerator<Uint8Array, void, undefined> {
  for (let rest = Number(sizeBytes); rest > 0; rest -= chunk.length) yield chunk.subarray(0, rest);
}

let longestHoldMs = 0;
let lastTurn = performance.now();
const timer = setInterval(() => {
  longestHoldMs = Math.max(longestHoldMs, performance.now() - lastTurn);
  lastTurn = performance.now();
}, 1);

const start = performance.now();
const baseline = process.memoryUsage().rss;
let peak = baseline;
let archiveBytes = 0;
for await (const part of createArchive(format as ArchiveFormat, made())) {
  archiveBytes += part.length;
  peak = Math.max(peak, process.memoryUsage().rss);
}
const seconds = (performance.now() - start) / 1000;
clearInterval(timer);

console.log(
  JSON.stringify({
    archiveBytes,
    peakMiB: Math.round((peak - baseline) / 2 ** 20),
    megabytesPerSecond: Math.round((Number(entries) * Number(sizeBytes)) / 1e6 / seconds),
    longestHoldMs: Math.round(longestHoldMs),
  }),
);
