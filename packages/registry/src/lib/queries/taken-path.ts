import { statement, type Sql } from "@store/database";
import { pathAncestors, StoreError } from "@store/identity";
import { and, eq, gt, inArray, lt, sql as sqlText } from "drizzle-orm";

import { rowReference } from "./find.ts";
import type { PackageRow } from "./rows.ts";

/**
 * The file that stands at `path`, if it may be replaced. Throws `path_conflict` where it may not,
 * where a file of the package stands at a folder of the path, or where the path is such a folder.
 */
export async function refuseTakenPath(
  sql: Sql,
  row: PackageRow,
  path: string,
  replace: boolean,
): Promise<{ readonly sizeBytes: number } | undefined> {
  const ancestors = pathAncestors(path);
  const select = selectOverlapping(ancestors.length);
  const places = Object.fromEntries(ancestors.map((ancestor, depth) => [`at${depth}`, ancestor]));
  // "/" is followed by "0" in UTF-8: every path below `path` lies between the two.
  const overlapping = await select(sql, {
    ...places,
    packageId: row.packageId,
    path,
    below: `${path}/`,
    beyond: `${path}0`,
  });
  const other = overlapping.find((file) => file.path !== path);
  if (other !== undefined) throw folderConflict(row, path, other.path);
  const same = overlapping[0];
  if (same !== undefined && !replace) throw pathTaken(row, path);
  return same;
}

type SelectOverlapping = ReturnType<typeof buildSelect>;
const selects: SelectOverlapping[] = [];

/** One statement for each number of folders in a path, since each has its own text. */
function selectOverlapping(depth: number): SelectOverlapping {
  return (selects[depth] ??= buildSelect(depth));
}

function buildSelect(depth: number) {
  return statement((sql, { artifactFiles }, p) => {
    const isOfPackage = eq(artifactFiles.packageId, p("packageId"));
    const firstBelow = sql
      .select({ path: artifactFiles.path })
      .from(artifactFiles)
      .where(
        and(isOfPackage, gt(artifactFiles.path, p("below")), lt(artifactFiles.path, p("beyond"))),
      )
      .limit(1);
    const ancestors = Array.from({ length: depth }, (_, index) => p(`at${index}`));
    // One list of single paths, since neither database seeks an `or` of paths and a range: both
    // would read every file of the package, for each file that is added.
    const places = [p("path"), ...ancestors, sqlText`${firstBelow}`];
    return sql
      .select({ path: artifactFiles.path, sizeBytes: artifactFiles.sizeBytes })
      .from(artifactFiles)
      .where(
        and(
          isOfPackage,
          inArray(artifactFiles.path, sqlText`(${sqlText.join(places, sqlText`, `)})`),
        ),
      )
      .limit(2);
  });
}

function pathTaken(row: PackageRow, path: string): StoreError {
  return new StoreError(
    "path_conflict",
    `${rowReference(row)} has a file at "${path}" already. Ask to replace it, or choose another path.`,
    { context: { reference: rowReference(row), path } },
  );
}

function folderConflict(row: PackageRow, path: string, other: string): StoreError {
  const [folder, below] = other.length < path.length ? [other, path] : [path, other];
  return new StoreError(
    "path_conflict",
    `In ${rowReference(row)} "${folder}" cannot be a file and the folder of "${below}" at once.`,
    { context: { reference: rowReference(row), path, actual: other } },
  );
}
