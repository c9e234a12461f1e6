import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const root = join(import.meta.dirname, "..");

/** The command line as it is published, built into a folder of a test's own. */
export async function buildStore(): Promise<{ program: string } & AsyncDisposable> {
  // Below the package, so that the native addon is found as it is where the package is installed.
  const folder = join(root, "node_modules/.cache", `store-${randomUUID()}`);
  await promisify(execFile)(process.execPath, [join(root, "build.ts"), folder]);
  return {
    program: join(folder, "dist/store.js"),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
