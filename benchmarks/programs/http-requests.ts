import { join } from "node:path";

import autocannon from "autocannon";

import { callJson, upload } from "../lib/http-client.ts";
import type { ProgramContext } from "../lib/program.ts";
import { makeNew, randomBytes } from "../lib/random-bytes.ts";
import { concurrently, interleave, secondsOf } from "../lib/rounds.ts";
import { startServerProcess } from "../lib/server-process.ts";

export const title = "small requests over HTTP, 64 at a time";

const sizeBytes = 4096;
const width = 64;

export async function run({ report, scratch, quick }: ProgramContext): Promise<void> {
  await using store = await startServerProcess("store-server", join(scratch, "store"));
  const { token } = store;
  const api = `${store.url}/api/v1`;
  const bytes = randomBytes(sizeBytes);
  let versions = 0;

  /** A package of one new file: opened, added and finalized, three requests. */
  const push = async (): Promise<string> => {
    versions += 1;
    const body = bytes.slice();
    makeNew(body);
    const coordinates = { namespace: "acme", name: "small", version: `1.0.${versions}` };
    const opened = { method: "POST", url: `${api}/packages`, token, json: coordinates };
    const { id } = await callJson<{ id: string }>(opened);
    const place = `${api}/packages/${id}`;
    await upload({ method: "PUT", url: `${place}/files/file`, token }, [body], sizeBytes);
    await callJson({ method: "POST", url: `${place}/finalize`, token });
    return place;
  };

  const pkg = await push();
  const shown = await callJson<Record<string, unknown>>({ method: "GET", url: pkg, token });
  await using hono = await startServerProcess("hono-server", `${sizeBytes}`, JSON.stringify(shown));

  const durationSeconds = quick ? 2 : 5;
  const requestsPerSecond = async (url: string, credential?: string): Promise<number> => {
    const headers = credential === undefined ? {} : { authorization: `Bearer ${credential}` };
    const result = await autocannon({
      url,
      headers,
      connections: width,
      duration: durationSeconds,
    });
    if (result.non2xx + result.errors > 0) throw new Error(`${url} was refused.`);
    return result.requests.average;
  };
  const pushes = quick ? 300 : 1_500;
  const figures = await interleave(
    {
      files: () => requestsPerSecond(`${pkg}/files/file`, token),
      bytes: () => requestsPerSecond(`${hono.url}/bytes/1`),
      packages: () => requestsPerSecond(pkg, token),
      json: () => requestsPerSecond(`${hono.url}/json/1`),
      pushes: async () => pushes / (await secondsOf(() => concurrently(pushes, width, push))),
    },
    { rounds: quick ? 3 : 5 },
  );

  const aim = { ratio: 0.5 };
  report.add({
    name: "download 4 KiB",
    unit: "1/s",
    ours: figures.files,
    floors: { "a bare route of Hono with as many bytes": figures.bytes },
    aim,
  });
  report.add({
    name: "show a package",
    unit: "1/s",
    ours: figures.packages,
    floors: { "a bare route of Hono with the same JSON": figures.json },
    aim,
  });
  report.add({
    name: "push a package of one new file of 4 KiB (3 requests)",
    unit: "1/s",
    ours: figures.pushes,
    floors: {},
  });
  report.note(
    "Each request carries an API token. The bare routes look nothing up and check nothing; they " +
      "show what Node.js and Hono cost. autocannon asks on 64 connections, from another process.",
  );
}
