// Ends what a test has started, if the test's process is gone before it could do so: each line of
// stdin is the id of a process that began (`+1`) or ended (`-1`), and its end that of the test.
import { createInterface } from "node:readline";

const living = new Set<number>();
process.on("SIGINT", () => undefined);
for await (const line of createInterface({ input: process.stdin })) {
  const processId = Number(line.slice(1));
  if (line.startsWith("+")) living.add(processId);
  else living.delete(processId);
}
for (const processId of living) {
  try {
    process.kill(processId, "SIGKILL");
  } catch {
    // It has just ended.
  }
}
