import { statement, type Sql } from "@store/database";
import { StoreError } from "@store/identity";
import { and, eq, isNotNull } from "drizzle-orm";

import type { PackageRow } from "./rows.ts";

/** Single rows, by key, for commands and queries alike. */

const selectPackage = statement((sql, { artifactPackages }, p) =>
  sql
    .select()
    .from(artifactPackages)
    .where(eq(artifactPackages.packageId, p("packageId"))),
);

/** The package's row; throws `package_not_found`. */
export async function findPackage(sql: Sql, packageId: string): Promise<PackageRow> {
  const [row] = await selectPackage(sql, { packageId });
  if (row !== undefined) return row;
  throw new StoreError(
    "package_not_found",
    `There is no package with the id "${packageId.slice(0, 64)}". It may have been abandoned or have lapsed.`,
    { context: { reference: packageId.slice(0, 64) } },
  );
}

/** The package's row while it accepts files; throws `package_finalized`. */
export async function findOpenPackage(sql: Sql, packageId: string): Promise<PackageRow> {
  const row = await findPackage(sql, packageId);
  if (row.status === "open") return row;
  throw new StoreError(
    "package_finalized",
    `${rowReference(row)} is finalized and accepts no change. Create a package with another version.`,
    { context: { reference: rowReference(row) } },
  );
}

/** The package's row once it is finalized; throws `package_not_finalized`. */
export async function findFinalizedPackage(sql: Sql, packageId: string): Promise<PackageRow> {
  const row = await findPackage(sql, packageId);
  if (row.status !== "open") return row;
  throw new StoreError(
    "package_not_finalized",
    `${rowReference(row)} is still open. Finalize it first.`,
    { context: { reference: rowReference(row) } },
  );
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

const selectObject = statement((sql, { objects }, p) =>
  sql
    .select()
    .from(objects)
    .where(eq(objects.contentAddress, p("address"))),
);

/** The object's row, or undefined where the instance knows no such object. */
export async function findObject(sql: Sql, address: string) {
  const [row] = await selectObject(sql, { address });
  return row;
}

const selectRetentionClass = statement((sql, { retentionClasses }, p) =>
  sql
    .select()
    .from(retentionClasses)
    .where(eq(retentionClasses.name, p("name"))),
);

/** The class's row; throws `retention_class_not_found`. */
export async function findRetentionClass(sql: Sql, name: string) {
  const [row] = await selectRetentionClass(sql, { name });
  if (row !== undefined) return row;
  throw new StoreError(
    "retention_class_not_found",
    `There is no retention class "${name.slice(0, 128)}". Choose one that the instance has.`,
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
