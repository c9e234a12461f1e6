import { statement, type Sql, type Tables } from "@store/database";
import { formatReference, parseReference, StoreError, type Reference } from "@store/identity";
import { and, asc, desc, eq, isNotNull, sql as raw } from "drizzle-orm";

import { packageInfo, type PackageRow } from "./rows.ts";
import type { ResolvedPackage } from "../types.ts";
import { rowReference } from "./find.ts";
import { findTag } from "./tags.ts";

/** How many variants of one version are named where a reference is ambiguous. */
const namedVariants = 20;

/** Finds the one finalized package that a reference means. */
export async function resolveReference(
  sql: Sql,
  tables: Tables,
  reference: Reference | string,
): Promise<ResolvedPackage> {
  const parsed = typeof reference === "string" ? parseReference(reference) : reference;
  const row = await resolveRow(sql, tables, parsed);
  return { reference: parsed, package: packageInfo(row), warnings: warningsOf(row) };
}

async function resolveRow(sql: Sql, tables: Tables, reference: Reference): Promise<PackageRow> {
  const { selector } = reference;
  switch (selector.kind) {
    case "digest":
      return byDigest(sql, reference, selector.address);
    case "version":
      return byVersion(sql, tables, reference, selector.version, selector.variant);
    case "tag":
      return byTag(sql, tables, reference, selector.tag, selector.variant);
    case "latest":
      return byTag(sql, tables, reference, "latest", selector.variant);
  }
}

const selectByDigest = statement((sql, { artifactPackages }, p) =>
  sql
    .select()
    .from(artifactPackages)
    .where(eq(artifactPackages.manifestDigest, p("address"))),
);

/** Asked by the digest alone: given a name too, a database may walk all versions of the name. */
async function byDigest(sql: Sql, reference: Reference, address: string): Promise<PackageRow> {
  const [row] = await selectByDigest(sql, { address });
  const named = row?.namespace === reference.namespace && row.name === reference.name;
  return named ? row : notFound(reference);
}

/** The package of that version and variant; without one, the only one that there is. */
async function byVersion(
  sql: Sql,
  { artifactPackages }: Tables,
  reference: Reference,
  version: string,
  variant: string | undefined,
): Promise<PackageRow> {
  const rows = await sql
    .select()
    .from(artifactPackages)
    .where(
      and(
        eq(artifactPackages.namespace, reference.namespace),
        eq(artifactPackages.name, reference.name),
        eq(artifactPackages.version, version),
        isNotNull(artifactPackages.finalizedSeq),
        variant === undefined ? undefined : eq(artifactPackages.variant, variant),
      ),
    )
    .orderBy(asc(artifactPackages.variant))
    .limit(namedVariants);
  const [first, ...others] = rows;
  if (first === undefined) return notFound(reference);
  // Variants sort after none: the package without a variant is what the bare version names.
  if (others.length === 0 || first.variant === "") return first;
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
  tag: string,
  variant: string | undefined,
): Promise<PackageRow> {
  const { namespace, name } = reference;
  const found = await findTag(sql, tables, namespace, name, tag);
  if (found !== undefined) {
    if (variant === undefined || variant === found.target.variant) return found.target;
    return byVersion(sql, tables, reference, found.target.version, variant);
  }
  if (tag !== "latest") {
    throw new StoreError(
      "tag_not_found",
      `There is no tag "${tag}" on ${namespace}/${name}. List its versions and tags, then name one.`,
      { context: { reference: formatReference(reference) } },
    );
  }
  const latest = await latestVersion(sql, reference);
  return byVersion(sql, tables, reference, latest, variant);
}

const selectLatest = statement((sql, { artifactPackages: t }, p) =>
  sql
    .select({ version: t.version })
    .from(t)
    .where(
      and(
        eq(t.namespace, p("namespace")),
        eq(t.name, p("name")),
        // Literals: of a parameter a database cannot tell that it meets the index's condition.
        raw`${t.status} = 'finalized'`,
        raw`${t.prerelease} = 0`,
      ),
    )
    .orderBy(desc(t.versionSortKey), desc(t.finalizedSeq))
    .limit(1),
);

async function latestVersion(sql: Sql, reference: Reference): Promise<string> {
  const { namespace, name } = reference;
  const [row] = await selectLatest(sql, { namespace, name });
  if (row !== undefined) return row.version;
  throw new StoreError(
    "package_not_found",
    `${reference.namespace}/${reference.name} has no latest version: nothing but prereleases and ` +
      "yanked packages, or nothing at all. Name a version.",
    { context: { reference: formatReference(reference) } },
  );
}

function notFound(reference: Reference): never {
  const text = formatReference(reference);
  throw new StoreError("package_not_found", `There is no finalized package ${text}.`, {
    context: { reference: text },
  });
}

function warningsOf(row: PackageRow): string[] {
  if (row.status !== "yanked") return [];
  const reason = row.yankReason === null ? "" : `: ${row.yankReason}`;
  return [`${rowReference(row)} was yanked at ${row.yankedAt}${reason}`];
}
