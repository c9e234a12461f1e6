import { createClient } from "@store/client";
import { nodeTransport } from "@store/client/node";
import { startPostgresServer, type PostgresServer } from "@store/testing/postgres";
import { account, proving } from "@store/testing/prove";
import type { S3DoubleProcess } from "@store/testing/s3-double-process";
import { describe, expect, it } from "vitest";

import { buildStore } from "./built.ts";
import { openBucket } from "./cluster/bucket.ts";
import { wreak } from "./cluster/chaos.ts";
import { openCluster } from "./cluster/cluster.ts";
import {
  blindSubscribers,
  eventIds,
  leadersOf,
  strayPackages,
  sweptAfter,
  toldPackages,
  troublesOf,
  unexcused,
} from "./cluster/judge.ts";
import { startRoamingClients, startSubscribers } from "./cluster/processes.ts";
import { findings, lostAcknowledgements, prepare, sumOf } from "./load/judge.ts";

const seconds = proving ? 120 : 12;
const clients = 30;
const servers = 3;
const day = 24 * 60 * 60_000;

describe(`${servers} servers on one PostgreSQL`, () => {
  it(`lose nothing and say nothing twice while they and it are ended, for ${seconds} s`, async () => {
    const postgres = await startPostgresServer({ fsync: true });
    await using _ended = { [Symbol.asyncDispose]: () => postgres.stop() };
    // Built, as the source would be read anew by every server that is started again.
    await using built = await buildStore();
    await using bucket = await openBucket();
    const env = { ...bucket.env, STORE_LOG: "json", STORE_DATABASE_URL: postgres.url };
    expect(await endUnderLoad(env, built.program, postgres, bucket.double)).toEqual([]);
    expect(await bucket.leftovers()).toEqual([]);
  });
});

async function endUnderLoad(
  env: Readonly<Record<string, string>>,
  program: string,
  postgres: PostgresServer,
  double: S3DoubleProcess | undefined,
): Promise<string[]> {
  await using cluster = await openCluster({ servers, env, program });
  const { urls, setupToken, site } = cluster;
  const [url = ""] = urls;
  const { token } = await prepare({ url, setupToken });
  using connections = Object.assign(nodeTransport(), {
    [Symbol.dispose]: () => connections.close(),
  });
  const client = createClient({ url, credential: { token }, transport: connections });
  const prepared = new Set(
    (await client.listPackages({}, { limit: 1000 })).items.map(({ id }) => id),
  );

  const running = startRoamingClients(2, { urls, token, clients, seconds: 3600, seed: 1 });
  const early = startSubscribers({ urls, token, subscribers: 4, since: 0, seed: 1 });
  const since = (await client.head()).size;
  const late = startSubscribers({ urls, token, subscribers: 2, since, seed: 2 });
  await wreak({ cluster, postgres, double, ms: seconds * 1000, seed: 11 });

  const reports = await running.stop();
  const ids = await eventIds(client);
  const subscribers = (
    await Promise.all([early, late].map((one) => one.readUntil(ids.length)))
  ).flat();
  const wrong = [
    ...reports.flatMap(({ defects }) => defects),
    ...unexcused(reports),
    ...blindSubscribers(ids, subscribers),
    ...(await lostAcknowledgements(url, token, reports)),
    ...(await strayPackages(client, new Set([...prepared, ...toldPackages(reports)]))),
  ];
  await client.verifyLog();
  const peakBytes = await cluster.peakBytes();
  for (const index of cluster.running()) await cluster.end(index, "SIGTERM");
  const leaders = leadersOf(cluster.log);
  wrong.push(...cluster.wrong, ...leaders.wrong, ...(await findings(site)));
  const swept = await sweptAfter(site.folder, env, 25 * day);
  if (swept.after > 0) wrong.push(`${swept.after} are staged for ever.`);
  account(`${servers} servers that are ended, and their PostgreSQL`, {
    seconds,
    ...cluster.counts,
    ...sumOf(reports),
    ...troublesOf(reports),
    leaders: leaders.changes,
    events: ids.length,
    subscribers: subscribers.length,
    subscriptions: subscribers.reduce((sum, { connections: made }) => sum + made, 0),
    stagedBeforeSweep: swept.before,
    peakServerBytes: peakBytes,
  });
  return wrong;
}
