/** Copies an instance from one place to another, and says on stdout how far it is. */
import { writeSync } from "node:fs";

import { openDatabase } from "@store/database";
import { copyInstance, type CopySide } from "@store/registry/instance-copy";
import { openLocalStorage } from "@store/storage-local";

const [fromUrl = "", fromRoot = "", toUrl = "", toRoot = ""] = process.argv.slice(2);

async function open(url: string, root: string): Promise<CopySide> {
  const primary = await openLocalStorage({ root });
  return { database: await openDatabase(url), backends: { primary } };
}

const [from, to] = [await open(fromUrl, fromRoot), await open(toUrl, toRoot)];
const report = await copyInstance({
  from,
  to,
  // At once, so that it is out when the process is killed.
  onProgress: ({ done, objects }) => writeSync(1, `${done} ${objects}\n`),
});
await Promise.all([from, to].map(({ database }) => database.close()));
writeSync(1, `done ${report.problemCount}\n`);
