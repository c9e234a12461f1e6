/**
 * Runs one gateway for as long as its parent lives: it prints where it is as a line of JSON, and
 * when its standard input ends, however the parent died, it stops the cluster.
 */
import { parentEnd } from "../parent-end.ts";
import { startCluster } from "./cluster.ts";

const ended = parentEnd();

const cluster = await startCluster(Number(process.argv[2]));
const { place, version } = cluster;
process.stdout.write(`${JSON.stringify({ place, version })}\n`);
await ended;
await cluster.stop();
