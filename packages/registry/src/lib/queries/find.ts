import { statement, type Sql } from "@store/database";
import { StoreError } from "@store/identity";
import { and, eq, getColumns, isNotNull } from "drizzle-orm";

import { isId, shown, textOf } from "../arguments.ts";
import { wholeScope, type Scope } from "../scope.ts";
import { packageColumns, type PackageRow } from "./rows.ts";

/** Single rows, by key, for commands and queries alike. */

const selectPackage = statement((sql, tables, p) =>
  sql
    .select(packageColumns(tables))
    .from(tables.artifactPackages)
    .where(eq(tables.artifactPackages.packageId, p("packageId"))),
);

const selectWholePackage = statement((sql, { artifactPackages }, p) =>
  sql
    .select()
    .from(artifactPackages)
    .where(eq(artifactPackages.packageId, p("packageId"))),
);

/** What {@link Scope} says of names, of which all are covered where nobody's scope counts. */
type Covering = Pick<Scope, "covers">;

/** The package's row; throws `package_not_found`, also for one that the scope does not cover. */
export async function findPackage(
  sql: Sql,
  packageId: string,
  scope: Covering = wholeScope,
): Promise<PackageRow> {
  const row = await findPackageIfAny(sql, packageId);
  if (row !== undefined && scope.covers(row)) return row;
  throw unknownPackage(packageId);
}

/** The package's row with its metadata; throws what {@link findPackage} throws. */
export async function findWholePackage(
  sql: Sql,
  packageId: string,
  scope: Covering,
): Promise<PackageRow & { readonly metadata: Uint8Array | null }> {
  const [row] = isId("package id", packageId) ? await selectWholePackage(sql, { packageId }) : [];
  if (row !== undefined && scope.covers(row)) return row;
  throw unknownPackage(packageId);
}

function unknownPackage(packageId: string): StoreError {
  return new StoreError(
    "package_not_found",
    `There is no package with the id ${shown(packageId)}. It may have been abandoned or have lapsed.`,
    { context: { reference: packageId.slice(0, 80) } },
  );
}

/**
 * Refuses a package that the scope does not cover, before anything else of it is looked at. A
 * package keeps its name, so that this needs no transaction with what follows.
 */
export async function refuseUncovered(sql: Sql, packageId: string, scope: Scope): Promise<void> {
  if (scope.ranges !== undefined) await findPackage(sql, packageId, scope);
}

/** Whether there is such a package as far as the scope lets its caller see. */
export async function isCovered(sql: Sql, packageId: string, scope: Scope): Promise<boolean> {
  if (scope.ranges === undefined) return true;
  const row = await findPackageIfAny(sql, packageId);
  return row !== undefined && scope.covers(row);
}

/** The package's row, or undefined. */
export async function findPackageIfAny(
  sql: Sql,
  packageId: string,
): Promise<PackageRow | undefined> {
  if (!isId("package id", packageId)) return undefined;
  const [row] = await selectPackage(sql, { packageId });
  return row;
}

/** The package's row while it accepts files; throws `package_finalized`. */
export async function findOpenPackage(sql: Sql, packageId: string): Promise<PackageRow> {
  return assertOpen(await findPackage(sql, packageId));
}

/** Throws `package_finalized` for a package that accepts no file. */
export function assertOpen(row: PackageRow): PackageRow {
  if (row.status === "open") return row;
  throw new StoreError(
    "package_finalized",
    `${rowReference(row)} is finalized and accepts no change. Create a package with another version.`,
    { context: { reference: rowReference(row) } },
  );
}

/** The package's row once it is finalized; throws `package_not_finalized`. */
export async function findFinalizedPackage(
  sql: Sql,
  packageId: string,
  scope: Covering = wholeScope,
): Promise<PackageRow> {
  const row = await findPackage(sql, packageId, scope);
  if (row.status !== "open") return row;
  throw new StoreError(
    "package_not_finalized",
    `${rowReference(row)} is still open. Finalize it first.`,
    { context: { reference: rowReference(row) } },
  );
}

const selectMetadata = statement((sql, { artifactPackages }, p) =>
  sql
    .select({ metadata: artifactPackages.metadata })
    .from(artifactPackages)
    .where(eq(artifactPackages.packageId, p("packageId"))),
);

/** The package's metadata as canonical JSON, or null. */
export async function findMetadata(sql: Sql, packageId: string): Promise<Uint8Array | null> {
  const [row] = await selectMetadata(sql, { packageId });
  return row?.metadata ?? null;
}

const selectClaim = statement((sql, { artifactPackages }, p) =>
  sql
    .select({ packageId: artifactPackages.packageId })
    .from(artifactPackages)
    .where(
      and(
        eq(artifactPackages.namespace, p("namespace")),
        eq(artifactPackages.name, p("name")),
        eq(artifactPackages.version, p("version")),
        eq(artifactPackages.variant, p("variant")),
        isNotNull(artifactPackages.finalizedSeq),
      ),
    ),
);

/** Throws `package_exists` where a finalized package has the coordinates. */
export async function refuseClaimed(
  sql: Sql,
  coordinates: Pick<PackageRow, "namespace" | "name" | "version" | "variant">,
): Promise<void> {
  const { namespace, name, version, variant } = coordinates;
  const [claimed] = await selectClaim(sql, { namespace, name, version, variant });
  if (claimed === undefined) return;
  const reference = rowReference(coordinates);
  throw new StoreError(
    "package_exists",
    `${reference} is finalized already and never changes. Choose another version.`,
    { context: { reference } },
  );
}

const selectFile = statement((sql, { artifactFiles }, p) =>
  sql
    .select()
    .from(artifactFiles)
    .where(and(eq(artifactFiles.packageId, p("packageId")), eq(artifactFiles.path, p("path")))),
);

/** The file's row, or undefined. */
export async function findFile(sql: Sql, packageId: string, path: string) {
  const [row] = await selectFile(sql, { packageId, path });
  return row;
}

const selectPackageFile = statement((sql, { artifactFiles: f, artifactPackages: a }, p) =>
  sql
    .select({ ...getColumns(f), namespace: a.namespace, name: a.name, status: a.status })
    .from(f)
    .innerJoin(a, eq(a.packageId, f.packageId))
    .where(and(eq(f.packageId, p("packageId")), eq(f.path, p("path")))),
);

/**
 * A file with what its package is, in one look; throws `package_not_found`, also for a package that
 * the scope does not cover, and `file_not_found`.
 */
export async function findPackageFile(
  sql: Sql,
  { packageId, path }: { readonly packageId: string; readonly path: string },
  scope: Covering,
) {
  const [row] = isId("package id", packageId)
    ? await selectPackageFile(sql, { packageId, path })
    : [];
  if (row !== undefined && scope.covers(row)) return row;
  throw fileNotFound(await findPackage(sql, packageId, scope), path);
}

/** The refusal of a path at which the package has no file. */
export function fileNotFound(row: PackageRow, path: string): StoreError {
  return new StoreError("file_not_found", `${rowReference(row)} has no file at "${path}".`, {
    context: { reference: rowReference(row), path },
  });
}

const selectRetentionClass = statement((sql, { retentionClasses }, p) =>
  sql
    .select()
    .from(retentionClasses)
    .where(eq(retentionClasses.name, p("name"))),
);

const namePattern = /^[a-z0-9][a-z0-9._-]{0,127}$/;

/** The class's row; throws `retention_class_not_found`. */
export async function findRetentionClass(sql: Sql, name: string) {
  const [row] = namePattern.test(textOf("retention class", name))
    ? await selectRetentionClass(sql, { name })
    : [];
  if (row !== undefined) return row;
  throw new StoreError(
    "retention_class_not_found",
    `There is no retention class ${shown(name)}. Choose one that the instance has.`,
    { context: { actual: name.slice(0, 128) } },
  );
}

/** `acme/app@1.2.0/linux-amd64` of a row. */
export function rowReference(
  row: Pick<PackageRow, "namespace" | "name" | "version" | "variant">,
): string {
  const base = `${row.namespace}/${row.name}@${row.version}`;
  return row.variant === "" ? base : `${base}/${row.variant}`;
}
