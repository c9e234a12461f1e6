import { createTestDatabase } from "@store/testing/postgres";
import { account, proving } from "@store/testing/prove";
import { describe, expect, it } from "vitest";

import { findings, lostAcknowledgements, prepare, sumOf } from "./load/judge.ts";
import { startLoad, transfer } from "./load/processes.ts";
import { openSite, type Served } from "./served.ts";

const clients = 200;
const secondsOfSqlite = proving ? 60 : 6;
const secondsOfPostgres = proving ? 60 : 3;
const transferBytes = (proving ? 1024 : 32) * 1024 * 1024;
const processes = 2;
// What is logged is kept in memory here.
const quiet = { STORE_LOG_LEVEL: "error" };

describe(`${clients} clients that publish, read, list and move tags at once`, () => {
  it("are refused only what they must be, and lose nothing that was acknowledged (SQLite)", async () => {
    expect(await load("SQLite", secondsOfSqlite)).toEqual([]);
  });

  it("and so with PostgreSQL", async () => {
    const database = await createTestDatabase();
    try {
      expect(
        await load("PostgreSQL", secondsOfPostgres, { STORE_DATABASE_URL: database.url }),
      ).toEqual([]);
    } finally {
      await database.drop();
    }
  });

  it("read small things while large files are on their way", async () => {
    await using site = await openSite(quiet);
    const server = await site.serve();
    const { token } = await prepare(server);
    const { alone, beside, transferSeconds } = await readBeside(server, token);
    expect(alone.defects).toEqual([]);
    expect(beside.defects).toEqual([]);
    account("small reads beside eight large transfers", {
      transferBytes,
      transferSeconds,
      aloneP50Ms: alone.smallReadsMs.p50,
      aloneP99Ms: alone.smallReadsMs.p99,
      besideCount: beside.smallReadsMs.count,
      besideP50Ms: beside.smallReadsMs.p50,
      besideP99Ms: beside.smallReadsMs.p99,
      besideMaxMs: beside.smallReadsMs.max,
    });
    expect(await server.end()).toMatchObject({ exitCode: 0, stderr: "" });
    expect(await findings(site)).toEqual([]);
  });
});

/** Puts a server under load, and gives everything that is wrong afterwards. */
async function load(
  name: string,
  seconds: number,
  env: Readonly<Record<string, string>> = {},
): Promise<string[]> {
  await using site = await openSite({ ...quiet, ...env });
  const server = await site.serve();
  const { url } = server;
  const { token } = await prepare(server);
  const options = { url, token, clients, seconds, seed: 1, patient: false, mix: "all" } as const;
  const reports = await startLoad(processes, options).reports;
  const lost = await lostAcknowledgements(url, token, reports);
  const sum = sumOf(reports);
  account(`load of ${clients} clients, ${name}`, { seconds, ...sum });
  const { exitCode, stderr } = await server.end();
  return [
    ...reports.flatMap(({ defects }) => defects),
    ...lost,
    ...((sum["finalized"] ?? 0) > clients ? [] : ["The clients have hardly published."]),
    ...((sum["move tag: done"] ?? 0) > 0 ? [] : ["No tag was moved."]),
    ...(exitCode === 0 && stderr === "" ? [] : [`The server ended with ${exitCode}: ${stderr}`]),
    ...(await findings(site)),
  ];
}

/** Small reads by a few clients, alone and then while four files go up and four come down. */
async function readBeside({ url }: Served, token: string) {
  const package_ = await openLarge(url, token);
  const reads = { url, token, clients: 8, seconds: 3600, patient: false, mix: "reads" } as const;
  const readersWhile = async (seed: number, work: () => Promise<number>) => {
    const running = startLoad(1, { ...reads, seed });
    const took = await work();
    const [report] = await running.stop();
    if (report === undefined) throw new Error("Nobody read.");
    return { report, took };
  };
  const transfers = { url, token, packageId: package_, sizeBytes: transferBytes };
  await transfer({ ...transfers, up: 1, down: 0, source: "first" });
  const source = "large-first-0";
  const alone = await readersWhile(1, () => wait(proving ? 10_000 : 1000));
  const beside = await readersWhile(2, () => transfer({ ...transfers, up: 4, down: 4, source }));
  return {
    alone: alone.report,
    beside: beside.report,
    transferSeconds: Math.round(beside.took * 10) / 10,
  };
}

async function openLarge(url: string, token: string): Promise<string> {
  const answer = await fetch(`${url}/api/v1/packages`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ namespace: "load", name: "large", version: "1" }),
  });
  return ((await answer.json()) as { readonly id: string }).id;
}

async function wait(ms: number): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, ms));
  return ms / 1000;
}
