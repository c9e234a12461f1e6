/**
 * Runs one server for as long as its parent lives: it prints the server's URL as a line of JSON,
 * and when its standard input ends, however the parent died, it stops the server.
 */
import { startPostgresServer } from "./postgres-server.ts";

const ended = new Promise<void>((resolve) => {
  process.stdin
    .once("end", () => resolve())
    .once("error", () => resolve())
    .resume();
});
// Ctrl-C reaches the whole group; the end of standard input follows when the parent is done.
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => undefined);

const server = await startPostgresServer();
process.stdout.on("error", () => undefined);
process.stdout.write(`${JSON.stringify({ url: server.url })}\n`);
await ended;
await server.stop();
