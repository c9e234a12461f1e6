/** Holds the write lock of a SQLite file from "locked" on its output to the end of its input. */
import { DatabaseSync } from "node:sqlite";

const [path = "", ...pragmas] = process.argv.slice(2);
const database = new DatabaseSync(path);
for (const pragma of pragmas) database.exec(`PRAGMA ${pragma}`);
database.exec("BEGIN IMMEDIATE");
process.stdout.write("locked\n");
process.stdin.resume().once("end", () => {
  database.exec("COMMIT");
  database.close();
});
