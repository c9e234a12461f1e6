import { statement, type Sql } from "@store/database";
import { pathAncestors, StoreError } from "@store/identity";
import { and, eq, gt, inArray, lt, sql as sqlText } from "drizzle-orm";

import { rowReference } from "./find.ts";
import type { PackageRow } from "./rows.ts";

/** A file of a package that stands in the way of a path, or at it. */
export interface OverlappingFile {
  readonly path: string;
  readonly sizeBytes: number;
}

/** The files of a package at `path`, at a folder of it, or below it: two at most. */
export function findOverlapping(
  sql: Sql,
  packageId: string,
  path: string,
): Promise<OverlappingFile[]> {
  const ancestors = pathAncestors(path);
  const places = Object.fromEntries(ancestors.map((ancestor, depth) => [`at${depth}`, ancestor]));
  // "/" is followed by "0" in UTF-8: every path below `path` lies between the two.
  const range = { below: `${path}/`, beyond: `${path}0` };
  return selectOverlapping(ancestors.length)(sql, { packageId, path, ...range, ...places });
}

/**
 * The file that stands at `path`, if it may be replaced. Throws `path_conflict` where it may not,
 * where a file of the package stands at a folder of the path, or where the path is such a folder.
 */
export function refuseTakenPath(
  row: PackageRow,
  path: string,
  { overlapping, replace }: { overlapping: readonly OverlappingFile[]; replace: boolean },
): OverlappingFile | undefined {
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
