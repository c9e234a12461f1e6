import { statement, type Row, type Sql } from "@store/database";
import type { ContentAddress } from "@store/identity";
import { and, eq, ne } from "drizzle-orm";

/** A copy of an object, as the views know it. */
export type CopyRow = Row<"storageLocations">;

const selectCopies = statement((sql, { storageLocations: t }, p) =>
  sql
    .select()
    .from(t)
    .where(eq(t.contentAddress, p("address"))),
);

const selectCopy = statement((sql, { storageLocations: t }, p) =>
  sql
    .select()
    .from(t)
    .where(and(eq(t.contentAddress, p("address")), eq(t.backend, p("backend")))),
);

const selectBackend = statement((sql, { storageBackends: t }, p) =>
  sql
    .select()
    .from(t)
    .where(eq(t.backend, p("backend"))),
);

/** Every copy of an object that the instance knows, in no order. */
export async function findCopies(sql: Sql, address: ContentAddress): Promise<CopyRow[]> {
  return selectCopies(sql, { address });
}

/** The copy at one backend, or undefined where none was ever there, or it was removed. */
export async function findCopy(
  sql: Sql,
  address: ContentAddress,
  backend: string,
): Promise<CopyRow | undefined> {
  const [row] = await selectCopy(sql, { address, backend });
  return row;
}

/** What is known of a backend, or undefined where it never failed. */
export async function findBackend(
  sql: Sql,
  backend: string,
): Promise<Row<"storageBackends"> | undefined> {
  const [row] = await selectBackend(sql, { backend });
  return row;
}

/** Copies that are not whole, at most so many; more are for those who walk over all copies. */
const mostDamaged = 10_000;

const selectDamaged = statement((sql, { storageLocations: t }, p) =>
  sql
    .select({ address: t.contentAddress })
    .from(t)
    .where(and(eq(t.backend, p("backend")), ne(t.status, "ok")))
    .limit(mostDamaged),
);

/** The addresses of the copies at one backend that are known to be missing or corrupt. */
export async function findDamaged(sql: Sql, backend: string): Promise<ReadonlySet<string>> {
  const rows = await selectDamaged(sql, { backend });
  return new Set(rows.map(({ address }) => address));
}

/** Whether a copy can be read only once it is restored from an archive. */
export function isArchived(copy: CopyRow, now: string): boolean {
  const { retrievalTier, restoreStatus, restoredUntil } = copy;
  if (retrievalTier === "hot") return false;
  return restoreStatus !== "restored" || (restoredUntil !== null && restoredUntil <= now);
}
