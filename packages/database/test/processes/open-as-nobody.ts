/** Tries to write a database as a user who may not; prints the code of the error. */
import { isStoreError } from "@store/identity";
import { openDatabase } from "../../src/index.ts";

process.setgid?.(65_534);
process.setuid?.(65_534);
try {
  const database = await openDatabase(process.argv[2] ?? "");
  await database.migrate();
  process.stdout.write("opened");
} catch (error) {
  process.stdout.write(isStoreError(error) ? error.code : String(error));
}
