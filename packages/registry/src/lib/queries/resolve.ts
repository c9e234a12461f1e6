import type { Query, Sql, Tables } from "@store/database";
import { formatReference, StoreError, type Reference } from "@store/identity";
import { and, asc, desc, eq, isNotNull, sql as raw } from "drizzle-orm";

import type { Scope } from "../scope.ts";
import type { ResolvedPackage } from "../types.ts";
import { findMetadata, findPackage, rowReference } from "./find.ts";
import { packageColumns, packageInfo, type PackageRow } from "./rows.ts";
import { findTag } from "./tags.ts";

/** How many variants of one version are named where a reference is ambiguous. */
const namedVariants = 20;

/** Finds the one finalized package that a reference means. */
export async function resolveReference(
  sql: Sql,
  tables: Tables,
  reference: Reference,
  scope: Scope,
): Promise<ResolvedPackage> {
  if (!scope.covers(reference)) throw nothingUnder(reference);
  const row = await resolveRow(sql, tables, reference);
  const metadata = await findMetadata(sql, row.packageId);
  return { reference, package: packageInfo(row, metadata), warnings: warningsOf(row) };
}

async function resolveRow(sql: Sql, tables: Tables, reference: Reference): Promise<PackageRow> {
  const { selector } = reference;
  switch (selector.kind) {
    case "digest": {
      const [row] = await selectByDigest(sql, tables, selector.address);
      const named = row?.namespace === reference.namespace && row.name === reference.name;
      if (named) return row;
      throw notFound(reference);
    }
    case "version": {
      const rows = await selectVariants(sql, tables, reference, selector);
      const row = onlyVariant(reference, rows);
      if (row !== undefined) return row;
      throw notFound(reference);
    }
    case "tag":
      return byTag(sql, tables, reference, selector);
    case "latest":
      return byTag(sql, tables, reference, { ...selector, tag: "latest" });
  }
}

/** Asked by the digest alone: given a name too, a database may walk all versions of the name. */
export function selectByDigest(sql: Sql, tables: Tables, address: string): Query<PackageRow[]> {
  const { artifactPackages: t } = tables;
  return sql.select(packageColumns(tables)).from(t).where(eq(t.manifestDigest, address));
}

/** What is finalized as a version: the variant that is asked for, or some of all. */
export function selectVariants(
  sql: Sql,
  tables: Tables,
  { namespace, name }: Pick<Reference, "namespace" | "name">,
  { version, variant }: { readonly version: string; readonly variant?: string },
): Query<PackageRow[]> {
  const { artifactPackages: t } = tables;
  return sql
    .select(packageColumns(tables))
    .from(t)
    .where(
      and(
        eq(t.namespace, namespace),
        eq(t.name, name),
        eq(t.version, version),
        isNotNull(t.finalizedSeq),
        variant === undefined ? undefined : eq(t.variant, variant),
      ),
    )
    .orderBy(asc(t.variant))
    .limit(namedVariants);
}

/** Of a version's packages the only one; undefined where there is none. */
function onlyVariant(reference: Reference, rows: readonly PackageRow[]): PackageRow | undefined {
  const [first, ...others] = rows;
  // Variants sort after none: the package without a variant is what the bare version names.
  if (first === undefined || others.length === 0 || first.variant === "") return first;
  const candidates = rows.map(rowReference);
  throw new StoreError(
    "ambiguous_reference",
    `${formatReference(reference)} has several variants: ${candidates.join(", ")}. Name one.`,
    { context: { reference: formatReference(reference), candidates } },
  );
}

/** The target of a tag that was set, or for `latest` the highest version. */
async function byTag(
  sql: Sql,
  tables: Tables,
  reference: Reference,
  { tag, variant }: { readonly tag: string; readonly variant?: string },
): Promise<PackageRow> {
  const { namespace, name } = reference;
  const found = await findTag(sql, tables, { namespace, name, tag });
  if (found !== undefined) {
    const target = await findPackage(sql, found.packageId);
    if (variant === undefined || variant === target.variant) return target;
    const { version } = target;
    const rows = await selectVariants(sql, tables, reference, { version, variant });
    if (rows[0] !== undefined) return rows[0];
    throw notFound(reference);
  }
  if (tag === "latest") return latest(sql, tables, reference, variant);
  throw noTag(reference, tag);
}

/** The highest version, of which a yanked variant is no part. */
async function latest(
  sql: Sql,
  tables: Tables,
  reference: Reference,
  variant: string | undefined,
): Promise<PackageRow> {
  const [highest] = await selectHighest(sql, tables, reference);
  if (highest === undefined) throw noLatest(reference);
  const { version } = highest;
  const wanted = variant === undefined ? { version } : { version, variant };
  const rows = await selectVariants(sql, tables, reference, wanted);
  const chosen = rows.filter((row) => row.status === "finalized");
  const row = onlyVariant(reference, chosen);
  if (row !== undefined) return row;
  throw new StoreError(
    "package_not_found",
    `The latest version of ${reference.namespace}/${reference.name} is ${version}, which has no ` +
      `variant "${variant}" that is not yanked. Name a version.`,
    { context: { reference: formatReference(reference) } },
  );
}

/** The highest version that is no prerelease and not yanked. */
export function selectHighest(
  sql: Sql,
  { artifactPackages: t }: Tables,
  { namespace, name }: Pick<Reference, "namespace" | "name">,
): Query<{ version: string }[]> {
  return sql
    .select({ version: t.version })
    .from(t)
    .where(
      and(
        eq(t.namespace, namespace),
        eq(t.name, name),
        // Literals: of a parameter a database cannot tell that it meets the index's condition.
        raw`${t.status} = 'finalized'`,
        raw`${t.prerelease} = 0`,
      ),
    )
    .orderBy(desc(t.versionSortKey), desc(t.finalizedSeq))
    .limit(1);
}

/** The refusal of a reference to a name under which there is nothing. */
function nothingUnder(reference: Reference): StoreError {
  const { selector } = reference;
  if (selector.kind === "latest") return noLatest(reference);
  if (selector.kind !== "tag") return notFound(reference);
  return selector.tag === "latest" ? noLatest(reference) : noTag(reference, selector.tag);
}

function notFound(reference: Reference): StoreError {
  const text = formatReference(reference);
  return new StoreError("package_not_found", `There is no finalized package ${text}.`, {
    context: { reference: text },
  });
}

function noTag(reference: Reference, tag: string): StoreError {
  const { namespace, name } = reference;
  return new StoreError(
    "tag_not_found",
    `There is no tag "${tag}" on ${namespace}/${name}. List its versions and tags, then name one.`,
    { context: { reference: formatReference(reference) } },
  );
}

function noLatest(reference: Reference): StoreError {
  return new StoreError(
    "package_not_found",
    `${reference.namespace}/${reference.name} has no latest version: nothing but prereleases and ` +
      "yanked packages, or nothing at all. Name a version.",
    { context: { reference: formatReference(reference) } },
  );
}

function warningsOf(row: PackageRow): string[] {
  if (row.status !== "yanked") return [];
  const reason = row.yankReason === null ? "" : `: ${row.yankReason}`;
  return [`${rowReference(row)} was yanked at ${row.yankedAt}${reason}`];
}
