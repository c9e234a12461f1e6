/** Migrates the database of its first argument by the files of its second; prints each step. */
import { pathToFileURL } from "node:url";
import { openFromFolder } from "../open-from-folder.ts";

const [url = "", folder = ""] = process.argv.slice(2);
const database = await openFromFolder(url, pathToFileURL(`${folder}/`));
const say = (value: unknown): boolean => process.stdout.write(`${JSON.stringify(value)}\n`);
await database.migrate({ onStep: ({ name, status, index }) => say([name, status, index]) });
await database.close();
