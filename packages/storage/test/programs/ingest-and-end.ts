/** Ingests on a thread with nothing else that keeps the process, and prints the address. */
import { ingestStream } from "@store/storage";
import { createMemoryBackend } from "@store/storage/memory";

let threads = 0;
process.on("worker", () => threads++);

async function* source(): AsyncGenerator<Uint8Array> {
  for (let index = 0; index < 8; index++) yield new Uint8Array(1024 * 1024).fill(index);
}

const { address } = await ingestStream(createMemoryBackend(), source(), {
  lease: "test",
  admit: async () => "write",
});
console.log(threads, address.split(":")[0]);
