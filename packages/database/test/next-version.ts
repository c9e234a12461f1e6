import { cp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadMigrations } from "../src/lib/migrations.ts";
import { temporaryFolder } from "./dialects.ts";

const folderOfThis = fileURLToPath(new URL("../migrations", import.meta.url));
/** The version of the schema that this code makes. */
export const currentVersion = (await loadMigrations("postgres")).length;

/** The migrations of the next version of Store: those of this one, and others. */
export async function nextVersion(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await temporaryFolder();
  await cp(folderOfThis, folder, { recursive: true });
  let version = currentVersion;
  for (const [name, sql] of Object.entries(files)) {
    version += 1;
    const file = `${String(version).padStart(4, "0")}_${name}.sql`;
    await writeFile(join(folder, "postgres", file), sql);
    await writeFile(join(folder, "sqlite", file), sql.replaceAll(" CONCURRENTLY", ""));
  }
  return folder;
}

/** Migrations that the code of this version goes on working with. */
export const compatible = {
  note: `-- compatible-from: ${currentVersion}\nALTER TABLE tags ADD COLUMN note text;\n`,
  note_index:
    `-- compatible-from: ${currentVersion}\n-- outside-transaction\n` +
    "CREATE INDEX CONCURRENTLY tags_note ON tags (note);\n" +
    "CREATE INDEX CONCURRENTLY tags_note_kept ON tags (note, tag) WHERE note = 'kept';\n",
};
