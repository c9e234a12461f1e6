import type { Database } from "@store/database";
import { eq } from "drizzle-orm";

/**
 * Whether the views of a database know of a copy at a backend: then that place is not new, and must
 * not be empty. For those who open the backends before the registry.
 */
export async function hasCopies(database: Database, backend: string): Promise<boolean> {
  if ((await database.schemaVersion()) === 0) return false;
  await database.assertSchemaCurrent();
  const { storageLocations } = database.tables;
  const copies = await database.reader
    .select({ address: storageLocations.contentAddress })
    .from(storageLocations)
    .where(eq(storageLocations.backend, backend))
    .limit(1);
  return copies.length > 0;
}
