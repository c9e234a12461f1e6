import { setTimeout } from "node:timers/promises";

import { freePort } from "@store/testing/free-port";
import { account, proving, rounds } from "@store/testing/prove";
import { describe, expect, it } from "vitest";

import { childrenOf } from "./children.ts";
import { randomOf } from "./load/contents.ts";
import { findings, lostAcknowledgements, prepare, sumOf, sweptAfter } from "./load/judge.ts";
import { startLoad } from "./load/processes.ts";
import { openSite, type Served, type Site } from "./served.ts";

const crashes = rounds(20);
const clients = proving ? 200 : 40;
const minute = 60_000;
const patience = { timeout: 60_000, interval: 100 };

describe("a server that ends under load", () => {
  it(`has everything that it acknowledged after being killed, ${crashes} times`, async () => {
    await using site = await openSite({ STORE_LOG_LEVEL: "error" });
    const wrong = await crash(site, "SIGKILL of the server", 1, async (server) => {
      await server.end("SIGKILL");
      return await site.serve({ port: server.port });
    });
    expect(wrong).toEqual([]);
  });

  it(`lets everything end that it can where it is told to, ${crashes} times`, async () => {
    await using site = await openSite({ STORE_LOG_LEVEL: "error" });
    const wrong = await crash(site, "SIGTERM of the server", 1, async (server) => {
      expect(await server.end("SIGTERM")).toMatchObject({ exitCode: 0 });
      return await site.serve({ port: server.port });
    });
    expect(wrong).toEqual([]);
  });

  it.runIf(process.platform === "linux")(
    "and so where it is one of two workers that is killed",
    async () => {
      await using site = await openSite({ STORE_LOG_LEVEL: "error" });
      const wrong = await crash(site, "SIGKILL of a worker", 2, async (server) => {
        // One that is still starting would be no loss.
        await expect.poll(() => childrenOf(server.processId), patience).toHaveLength(2);
        const [oldest = 0] = await childrenOf(server.processId);
        process.kill(oldest, "SIGKILL");
        return server;
      });
      expect(wrong).toEqual([]);
    },
  );
});

/**
 * Lets a load run while `end` ends something again and again, and gives everything that is wrong
 * afterwards.
 */
async function crash(
  site: Site,
  name: string,
  workers: number,
  end: (server: Served) => Promise<Served>,
): Promise<string[]> {
  // Workers that are all gone and come back would choose another by themselves.
  let server = await site.serve({ workers, port: await freePort() });
  const { url } = server;
  const { token, actor } = await prepare(server);
  const options = { url, token, clients, seconds: 3600, seed: 1, patient: true } as const;
  const running = startLoad(2, { ...options, mix: "all" });
  const random = randomOf(crashes);
  for (let round = 0; round < crashes; round += 1) {
    await setTimeout(500 + random() * 2500);
    server = await end(server);
  }
  await setTimeout(1000);
  const reports = await running.stop();
  const lost = await lostAcknowledgements(url, token, reports);
  const { exitCode } = await server.end();
  const wrong = [
    ...reports.flatMap(({ defects }) => defects),
    ...lost,
    ...(exitCode === 0 ? [] : [`The server ended with ${exitCode}.`]),
  ];
  // What a dead process staged goes with its lease; what can be continued stays, and goes as well
  // where nobody continues it.
  const soon = await sweptAfter(site, 3 * minute, actor);
  if (soon.staged > soon.openUploads) wrong.push(`${soon.staged} are staged still.`);
  const late = await sweptAfter(site, 25 * 60 * minute, actor);
  if (late.staged > 0) wrong.push(`${late.staged} are staged for ever.`);
  wrong.push(...(await findings(site)));
  account(name, { crashes, ...sumOf(reports), ...soon });
  return wrong;
}
