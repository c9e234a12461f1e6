/** Migrates the database of its argument and prints what it applied. */
import { openDatabase } from "../../src/index.ts";

const database = await openDatabase(process.argv[2] ?? "");
const { applied } = await database.migrate();
await database.close();
process.stdout.write(JSON.stringify(applied));
