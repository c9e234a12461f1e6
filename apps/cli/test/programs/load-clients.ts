// Many clients in one process: they work for some seconds, or until stdin ends, and then the process
// prints what they did and what they were told, as one line of JSON.
import { createClient, type Transport } from "@store/client";
import { nodeTransport } from "@store/client/node";

import { LoadClient } from "../load/load-client.ts";
import type { LoadClientsOptions } from "../load/processes.ts";
import { Tally } from "../load/tally.ts";

const options = JSON.parse(process.argv[2] ?? "{}") as LoadClientsOptions;
const { url, token, name, clients, seconds, seed, patient, mix } = options;

const tally = new Tally();
const stopping = new AbortController();
process.stdin.on("end", () => stopping.abort()).resume();
const timer = setTimeout(() => stopping.abort(), seconds * 1000);

const connections = nodeTransport({ connections: clients });
const transport: Transport = (request) => {
  tally.requests += 1;
  return connections(request);
};
// A server that is killed and started again is away for a second or ten.
const retry = patient ? { attempts: 100, longestDelayMs: 500, withinMs: 120_000 } : false;
const began = performance.now();
await Promise.all(
  Array.from({ length: clients }, (_, index) =>
    new LoadClient({
      client: createClient({ url, credential: { token }, transport, retry }),
      tally,
      name: `${name}-${index}`,
      seed: seed * 1000 + index + 1,
      patient,
      mix,
    }).run(stopping.signal),
  ),
);
clearTimeout(timer);
connections.close();
const report = tally.report(name, (performance.now() - began) / 1000);
process.stdout.write(`${JSON.stringify(report)}\n`, () => process.stdin.destroy());
