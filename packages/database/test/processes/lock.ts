/** Holds the write lock of a SQLite file from "locked" on its output to the end of its input. */
import { DatabaseSync } from "node:sqlite";

const database = new DatabaseSync(process.argv[2] ?? "");
database.exec("BEGIN IMMEDIATE");
process.stdout.write("locked\n");
process.stdin.resume().once("end", () => {
  database.exec("COMMIT");
  database.close();
});
