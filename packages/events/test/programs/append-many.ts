/**
 * Appends from several writers at once, as one process among others:
 * `node append-many.ts <database URL> <writers> <commands of each>`. Every seventh command throws
 * after it has appended. Prints each acknowledged event as `<seq> <id>`, and nothing else.
 */
import { openDatabase } from "@store/database";

import { openLog } from "../../src/index.ts";
import { draft } from "../test-log.ts";

const [url = "", writers = "1", commands = "1"] = process.argv.slice(2);
const database = await openDatabase(url);
const log = await openLog(database);
const acknowledged: string[] = [];

async function write(writer: number): Promise<void> {
  for (let command = 1; command <= Number(commands); command += 1) {
    try {
      const events = await log.transact(`writer ${process.pid}/${writer}`, async (tx) => {
        const appended = [tx.append(draft(`${command}`))];
        if (command % 3 === 0) appended.push(tx.append(draft(`${command} again`)));
        if (command % 7 === 0) throw new Refusal();
        return appended;
      });
      acknowledged.push(...events.map(({ seq, id }) => `${seq} ${id}`));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
    }
  }
}

class Refusal extends Error {}

await Promise.all(Array.from({ length: Number(writers) }, (_, writer) => write(writer)));
await database.close();
process.stdout.write(acknowledged.map((line) => `${line}\n`).join(""));
