// One benchmark in a process of its own; `run.ts` starts it.
import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { isProgram } from "./program.ts";
import { Report } from "./report.ts";

// An exit, unlike a signal, lets a program end what it has started.
process.on("SIGINT", () => process.exit(130));
process.on("SIGTERM", () => process.exit(143));

const [name = "", size, scratchRoot = "", resultsFolder = ""] = process.argv.slice(2);
const module: unknown = await import(`../programs/${name}.ts`);
if (!isProgram(module)) throw new Error(`programs/${name}.ts exports no title and no run`);

const quick = size === "quick";
const scratch = join(scratchRoot, name);
mkdirSync(scratch);
const report = new Report({ name, title: module.title, quick });
console.log(`\n${name}: ${module.title}${quick ? " (quick: smaller and noisier)" : ""}`);
await module.run({ report, scratch, quick });
report.print();
report.write(resultsFolder);
