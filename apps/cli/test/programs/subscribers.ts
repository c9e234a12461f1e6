// Subscribers to the log of a cluster in one process, which reconnect to any server after their last
// event. A line on stdin says up to which event they are to read; then the process prints what each
// saw, as one line of JSON.
import { once } from "node:events";
import { createInterface } from "node:readline";

import type { SubscribersOptions } from "../cluster/processes.ts";
import { Subscriber } from "../cluster/subscriber.ts";

const options = JSON.parse(process.argv[2] ?? "{}") as SubscribersOptions;
const { urls, token, subscribers, since, seed } = options;

const started = Array.from(
  { length: subscribers },
  (_, index) =>
    new Subscriber({ urls, token, since, name: `s${seed}-${index}`, seed: seed * 100 + index + 1 }),
);
const lines = createInterface({ input: process.stdin });
const [until] = (await once(lines, "line")) as [string];
const reports = await Promise.all(started.map((one) => one.readUntil(Number(until), 60_000)));
process.stdout.write(`${JSON.stringify(reports)}\n`, () => process.stdin.destroy());
