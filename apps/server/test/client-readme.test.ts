import { join } from "node:path";

import { runReadmeExamples } from "@store/testing/readme";
import { expect, test } from "vitest";

import { openWholeServer } from "./whole-server.ts";

test("the client's README runs against a server and prints what it says", async () => {
  await using server = await openWholeServer();
  const folder = join(import.meta.dirname, "../../../packages/client");
  const env = { STORE_URL: server.url, STORE_TOKEN: await server.tokenFor("write:acme/*") };
  const [push, session] = await runReadmeExamples(folder, { env });
  expect(push?.stdout).toBe(
    [
      "2 new objects, 26 bytes sent",
      "docs/readme.txt 5 ",
      "run.sh 21 executable",
      "#!/bin/sh",
      "echo hello",
      "v1.package.finalized",
      "",
    ].join("\n"),
  );
  expect(session?.stdout).toBe("log in again\n");
});
