/**
 * Runs one server for as long as its parent lives: it prints the server's URL as a line of JSON,
 * and when its standard input ends, however the parent died, it stops the server.
 */
import { parentEnd } from "../parent-end.ts";
import { startPostgresServer } from "./server.ts";

const ended = parentEnd();

const server = await startPostgresServer();
process.stdout.write(`${JSON.stringify({ url: server.url })}\n`);
await ended;
await server.stop();
