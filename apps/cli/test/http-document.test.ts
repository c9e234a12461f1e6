import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { routes } from "@store/api";
import { describe, expect, it } from "vitest";

import { whyNoCurl } from "./curl.ts";
import { difference, documentedCommands, runCommands } from "./http-document.ts";
import { openSite } from "./served.ts";

const root = join(import.meta.dirname, "../../..");
const document = join(root, "docs/HTTP.md");
const settings = join(root, ".env.example");

describe("docs/HTTP.md", () => {
  it.skipIf(whyNoCurl !== "")(
    `is true, command by command, and has every operation${whyNoCurl}`,
    async () => {
      await using site = await openSite({ STORE_LOG: "json" });
      const server = await site.serve();
      const blocks = documentedCommands(await readFile(document, "utf8"));
      const printed = await runCommands(blocks, {
        folder: site.folder,
        env: {
          PATH: process.env.PATH ?? "",
          HOME: site.folder,
          STORE: server.url,
          SETUP_TOKEN: server.setupToken,
        },
      });
      const wrong = blocks.flatMap((block, index) => {
        const what = difference(block, printed[index] ?? "");
        return what === undefined ? [] : [`line ${block.line}: ${what}`];
      });
      expect(wrong).toEqual([]);
      const { exitCode, stderr } = await server.end();
      expect(exitCode).toBe(0);
      expect([...called(stderr)].toSorted()).toEqual(logged(Object.keys(routes)).toSorted());
    },
  );

  it("names what is not logged, and no setting that there is not", async () => {
    const text = await readFile(document, "utf8");
    for (const path of ["/health", "/health/ready", "/metrics"]) {
      expect(text).toContain(`"$STORE${path}"`);
    }
    const known = await readFile(settings, "utf8");
    const named = text.match(/`STORE_[A-Z_]+`/g) ?? [];
    expect(named.length).toBeGreaterThan(10);
    for (const name of named) expect(known).toContain(`${name.slice(1, -1)}=`);
  });
});

/** Operations that the log has a line for. */
function called(stderr: string): Set<string> {
  const operations = new Set<string>();
  for (const line of stderr.split("\n")) {
    const operation = /"operation":"(\w+)"/.exec(line)?.[1];
    if (operation !== undefined) operations.add(operation);
  }
  return operations;
}

/** What probes and scrapes ask is not logged. */
function logged(operations: readonly string[]): string[] {
  const silent = new Set(["getHealth", "getReadiness", "getMetrics"]);
  return operations.filter((operation) => !silent.has(operation));
}
