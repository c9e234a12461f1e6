import { createHash } from "node:crypto";

import type { StoreClient } from "@store/client";
import { openDatabase } from "@store/database";
import { openRegistry } from "@store/registry";
import { openBackends, readSettings } from "@store/server/runtime";

import { gone, type LogLine } from "./cluster.ts";
import type { RoamingReport, SubscriberReport } from "./reports.ts";

/** Every package of the instance that nobody was told of, or that is there twice, in words. */
export async function strayPackages(
  client: StoreClient,
  known: ReadonlySet<string>,
): Promise<string[]> {
  const wrong: string[] = [];
  const versions = new Set<string>();
  for (const status of ["open", "finalized"] as const) {
    let cursor: string | undefined;
    do {
      const page = await client.listPackages(
        { status },
        { limit: 1000, ...(cursor && { cursor }) },
      );
      for (const { id, namespace, name, version } of page.items) {
        const coordinates = `${namespace}/${name}@${version}`;
        if (!known.has(id)) wrong.push(`${coordinates} is ${status}, and nobody was told so`);
        if (versions.has(coordinates)) wrong.push(`${coordinates} is there twice`);
        versions.add(coordinates);
      }
      ({ cursor } = page);
    } while (cursor !== undefined);
  }
  return wrong;
}

/** The packages that the clients were told of, and are there. */
export function toldPackages(reports: readonly RoamingReport[]): Set<string> {
  return new Set(
    reports.flatMap(({ ledger }) => [...ledger.finalized, ...ledger.open].map(({ id }) => id)),
  );
}

/** The ids of all events, in order; throws where the log has a gap. */
export async function eventIds(client: StoreClient): Promise<string[]> {
  const ids: string[] = [];
  for (;;) {
    const { items, head } = await client.readEvents({ after: ids.length, limit: 1000 });
    for (const { seq, id } of items) {
      if (seq !== ids.length + 1) throw new Error(`In the log ${seq} follows ${ids.length}.`);
      ids.push(id);
    }
    if (ids.length >= head) return ids;
    if (items.length === 0) throw new Error(`The log ends at ${ids.length}, not at ${head}.`);
  }
}

/** What subscribers did not see, saw twice or in another order than the log has. */
export function blindSubscribers(
  ids: readonly string[],
  reports: readonly SubscriberReport[],
): string[] {
  return reports.flatMap(({ name, since, events, idsSha256, defects }) => {
    const expected = createHash("sha256");
    for (const id of ids.slice(since)) expected.update(`${id}\n`);
    const isSame = events === ids.length - since && expected.digest("hex") === idsSha256;
    const seen = `${name} began after ${since} and saw ${events} of ${ids.length} events`;
    return isSame ? defects : [...defects, seen];
  });
}

/** Answers that no end of a server and no outage excuses. */
export function unexcused(reports: readonly RoamingReport[]): string[] {
  return reports
    .flatMap(({ troubles }) => troubles)
    .filter(({ status, retryAfter }) => {
      return status !== undefined && (status !== 503 || retryAfter === undefined);
    })
    .map(({ status, why, retryAfter }) => `${why}: ${status}, retry after ${retryAfter}`);
}

/** How often which trouble was met. */
export function troublesOf(reports: readonly RoamingReport[]): Readonly<Record<string, number>> {
  const counts = new Map<string, number>();
  for (const { what, status, why } of reports.flatMap(({ troubles }) => troubles)) {
    const name = status === undefined ? `${what}: ${why}` : `${what} ${status}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return Object.fromEntries(counts);
}

/** How often a server began with the background work, and who did while another had not ended. */
export function leadersOf(log: readonly LogLine[]): { changes: number; wrong: string[] } {
  const wrong: string[] = [];
  let changes = 0;
  let leader: number | undefined;
  for (const { time, pid, message } of log.toSorted((one, other) => compare(one, other))) {
    if (message === "background work begins here") {
      changes += 1;
      if (leader !== undefined) wrong.push(`At ${time} ${leader} leads, and ${pid} begins.`);
      leader = pid;
    } else if (pid === leader && ["background work ends here", gone].includes(message)) {
      leader = undefined;
    }
  }
  return { changes, wrong };
}

/** In the order of time; what ends in the same millisecond ends first. */
function compare(one: LogLine, other: LogLine): number {
  return one.time.localeCompare(other.time) || rank(one) - rank(other);
}

function rank({ message }: LogLine): number {
  return message === "background work begins here" ? 1 : 0;
}

/**
 * What is staged in an instance whose servers have ended, before and after a sweep so many
 * milliseconds later.
 */
export async function sweptAfter(
  folder: string,
  env: Readonly<Record<string, string>>,
  ms: number,
): Promise<{ before: number; after: number }> {
  const { databaseUrl, storage } = readSettings({ data: `${folder}/data` }, env);
  const database = await openDatabase(databaseUrl);
  try {
    const backends = await openBackends(storage, database);
    const registry = await openRegistry({
      database,
      backends,
      placement: storage.placement,
      actor: "test",
      clock: () => Date.now() + ms,
    });
    const staged = async () => {
      const lists = Object.values(backends).map((backend) => Array.fromAsync(backend.listStaged()));
      return (await Promise.all(lists)).flat().length;
    };
    try {
      const before = await staged();
      await registry.sweep();
      return { before, after: await staged() };
    } finally {
      await registry.close();
      await Promise.all(Object.values(backends).map((backend) => backend.close()));
    }
  } finally {
    await database.close();
  }
}
