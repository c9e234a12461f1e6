import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { describe, expect, it } from "vitest";
import { startS3DoubleProcess } from "../src/s3-double-process.ts";
import { refused } from "./s3-cases/case.ts";

describe("the S3 double as a process", () => {
  it("serves, and is controlled from its parent", async () => {
    const double = await startS3DoubleProcess();
    const { endpoint, region, credentials, bucket: Bucket } = double;
    const client = new S3Client({
      endpoint,
      region,
      credentials,
      forcePathStyle: true,
      maxAttempts: 1,
    });
    const Key = "x";
    await client.send(new PutObjectCommand({ Bucket, Key, Body: "x" }));
    expect(await double.counts()).toEqual({ objects: 1, unfinishedUploads: 0 });
    await double.addFault({ effect: "answer", code: "SlowDown", times: Infinity });
    const command = new GetObjectCommand({ Bucket, Key });
    await refused(client.send(command), "SlowDown", 503);
    await refused(client.send(command), "SlowDown", 503);
    await expect(double.loseObject("y")).rejects.toThrow("no object y");
    client.destroy();
    await double.close();
    await expect(double.counts()).rejects.toThrow("has ended");
    expect(isAlive(double.pid)).toBe(false);
  });

  it("ends by itself after a bounded time", async () => {
    const double = await startS3DoubleProcess({ maximumLifeMs: 1 });
    await untilDead(double.pid);
    expect(isAlive(double.pid)).toBe(false);
  });

  it("ends when its parent is killed", async () => {
    const program = fileURLToPath(new URL("programs/s3-double-parent.ts", import.meta.url));
    const parent = spawn(process.execPath, [program], { stdio: ["ignore", "pipe", "inherit"] });
    const [line] = (await once(createInterface({ input: parent.stdout }), "line")) as [string];
    const pid = Number(line);
    expect(isAlive(pid)).toBe(true);
    parent.kill("SIGKILL");
    await untilDead(pid);
    expect(isAlive(pid)).toBe(false);
  });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function untilDead(pid: number): Promise<void> {
  for (let attempt = 0; attempt < 400 && isAlive(pid); attempt += 1) {
    // oxlint-disable-next-line eslint/no-await-in-loop -- until it is so
    await sleep(25);
  }
}
