/**
 * Runs one gateway for as long as its parent lives: it prints where it is as a line of JSON, and
 * when its standard input ends, however the parent died, it stops the cluster.
 */
import { startCluster } from "./cluster.ts";

const ended = new Promise<void>((resolve) => {
  process.stdin
    .once("end", () => resolve())
    .once("error", () => resolve())
    .resume();
});
// Ctrl-C reaches the whole group; the end of standard input follows when the parent is done.
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => undefined);

const cluster = await startCluster(Number(process.argv[2]));
process.stdout.on("error", () => undefined);
const { place, version } = cluster;
process.stdout.write(`${JSON.stringify({ place, version })}\n`);
await ended;
await cluster.stop();
