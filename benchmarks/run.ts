// Runs the benchmarks, all of them or those that are named: `pnpm bench events replay --quick`.
// Each is a process of its own, so that none inherits another's heap, caches or thread pool.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { globSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";

const folder = import.meta.dirname;
const results = join(folder, "results");

// As the `store` command sets it: fsync waits in a thread, and four of them are soon taken.
const environment = { ...process.env, UV_THREADPOOL_SIZE: "16", NODE_NO_WARNINGS: "1" };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: "boolean", default: false } },
});
const names = globSync("programs/*.ts", { cwd: folder })
  .map((path) => basename(path, ".ts"))
  .sort();
const unknown = positionals.filter((name) => !names.includes(name));
if (unknown.length > 0) {
  console.error(`There is no benchmark ${unknown.join(", ")}; there are: ${names.join(", ")}`);
  process.exit(2);
}

mkdirSync(results, { recursive: true });
// Beside the results, and so on the same disk as the checkout; removed only after the last
// program, since file systems create files slowly just after many were deleted.
const scratch = mkdtempSync(join(results, "scratch-"));
let failed = false;
let interrupted = false;
try {
  for (const name of positionals.length > 0 ? positionals : names) {
    if (!interrupted && !(await succeeds(name))) failed = true;
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
process.exitCode = failed ? 1 : 0;

async function succeeds(name: string): Promise<boolean> {
  const size = values.quick ? "quick" : "full";
  const args = ["--expose-gc", join(folder, "lib/run-program.ts"), name, size, scratch, results];
  const child = spawn(process.execPath, args, { env: environment, stdio: "inherit" });
  const interrupt = (signal: NodeJS.Signals) => {
    interrupted = true;
    child.kill(signal);
  };
  process.on("SIGINT", interrupt).on("SIGTERM", interrupt);
  const [exitCode] = await once(child, "exit");
  process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
  return exitCode === 0;
}
