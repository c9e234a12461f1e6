/** A real gateway of S3, Debian's `radosgw`, for the tests that hold the double against it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { S3Place } from "./s3-double.ts";

export { installRadosgw, missingPackages } from "./lib/radosgw/packages.ts";

/** How to start a gateway. */
export interface RadosgwOptions {
  /** The size of its disk, a sparse file. Default 32 GiB. */
  readonly diskBytes?: number;
}

/** A running gateway with an empty bucket. */
export interface Radosgw extends S3Place {
  /** What the program says of its version. */
  readonly version: string;
  /** Ends the gateway and its cluster, and removes their files. */
  stop(): Promise<void>;
}

/**
 * Starts `radosgw` with a cluster of one monitor and one disk below it, on free ports of
 * 127.0.0.1 and in a temporary folder. It ends when the caller's process does, at the latest.
 * Throws where the packages are missing (`installRadosgw`) or a process of it fails.
 */
export async function startRadosgw(options: RadosgwOptions = {}): Promise<Radosgw> {
  const diskBytes = options.diskBytes ?? 32 * 1024 ** 3;
  const program = fileURLToPath(new URL("lib/radosgw/keeper.ts", import.meta.url));
  const keeper = spawn(process.execPath, [program, String(diskBytes)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const stop = async (): Promise<void> => {
    if (keeper.exitCode !== null || keeper.signalCode !== null) return;
    const exited = once(keeper, "exit");
    keeper.stdin.end();
    await exited;
  };
  for await (const line of createInterface({ input: keeper.stdout })) {
    const { place, version } = JSON.parse(line) as { place: S3Place; version: string };
    return { ...place, version, stop };
  }
  throw new Error("radosgw did not start; its messages are above.");
}
