// Many clients in one process, each request of which goes to any of several servers; as
// load-clients.ts is for one server.
import { createClient } from "@store/client";
import { nodeTransport } from "@store/client/node";

import { roamingTransport } from "../cluster/roaming-transport.ts";
import type { RoamingClientsOptions } from "../cluster/processes.ts";
import type { RoamingReport } from "../cluster/reports.ts";
import { randomOf } from "../load/contents.ts";
import { LoadClient } from "../load/load-client.ts";
import { Tally } from "../load/tally.ts";

const options = JSON.parse(process.argv[2] ?? "{}") as RoamingClientsOptions;
const { urls, token, name, clients, seconds, seed } = options;

const tally = new Tally();
const stopping = new AbortController();
process.stdin.on("end", () => stopping.abort()).resume();
const timer = setTimeout(() => stopping.abort(), seconds * 1000);

const connections = nodeTransport({ connections: clients });
const { transport, troubles } = roamingTransport(connections, urls, randomOf(seed + 77));
const retry = { attempts: 100, firstDelayMs: 50, longestDelayMs: 500, withinMs: 120_000 };
const began = performance.now();
await Promise.all(
  Array.from({ length: clients }, (_, index) =>
    new LoadClient({
      client: createClient({
        url: urls[0] ?? "",
        credential: { token },
        transport: (request) => {
          tally.requests += 1;
          return transport(request);
        },
        retry,
      }),
      tally,
      name: `${name}-${index}`,
      seed: seed * 1000 + index + 1,
      patient: true,
      mix: "all",
    }).run(stopping.signal),
  ),
);
clearTimeout(timer);
connections.close();
const report: RoamingReport = {
  ...tally.report(name, (performance.now() - began) / 1000),
  troubles,
};
process.stdout.write(`${JSON.stringify(report)}\n`, () => process.stdin.destroy());
