/** Says "held" or "taken" of a lock, and holds it to the end of its input. */
import { once } from "node:events";
import { openDatabase } from "../../src/index.ts";

const [url = "", name = ""] = process.argv.slice(2);
const database = await openDatabase(url);
const lock = await database.tryLock(name);
process.stdout.write(lock === undefined ? "taken\n" : "held\n");
await once(process.stdin.resume(), "end");
await lock?.release();
await database.close();
