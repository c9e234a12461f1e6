import type { Query, Row, Sql, Tables } from "@store/database";
import { digestOf, parseContentAddress, type ContentAddress, type Digest } from "@store/identity";
import { and, asc, eq, gt, inArray, sql as raw, type SQL } from "drizzle-orm";

import type { CopyRow } from "../queries/copies.ts";
import { objectDigest } from "../queries/objects.ts";

/** What is recorded of an object's bytes: a copy that has all of it is whole. */
export interface KnownObject {
  readonly address: ContentAddress;
  readonly sha256: Digest;
  readonly sizeBytes: number;
}

export function knownObject(row: Row<"objects">): KnownObject {
  const { sha256, sizeBytes } = objectDigest(row);
  return { address: parseContentAddress(row.contentAddress), sha256, sizeBytes };
}

/** Where copies are looked up. */
export interface Place {
  readonly sql: Sql;
  readonly tables: Tables;
}

/** A page of a walk: what comes after an address, or all from the first. */
export interface WalkPage {
  readonly after: string | undefined;
  readonly limit: number;
}

/** Objects in order of address, each with its copy at a backend, or null. */
export function selectObjectsAndCopy(
  { sql, tables: { objects: o, storageLocations: l } }: Place,
  backend: string,
  { after, limit }: WalkPage,
): Query<{ object: Row<"objects">; copy: CopyRow | null }[]> {
  return sql
    .select({ object: o, copy: l })
    .from(o)
    .leftJoin(l, and(eq(l.contentAddress, o.contentAddress), eq(l.backend, backend)))
    .where(isAfter(o.contentAddress, after))
    .orderBy(asc(o.contentAddress))
    .limit(limit);
}

/** The same of some objects, in no order. */
export function selectSomeAndCopy(
  { sql, tables: { objects: o, storageLocations: l } }: Place,
  backend: string,
  addresses: readonly string[],
): Query<{ object: Row<"objects">; copy: CopyRow | null }[]> {
  return sql
    .select({ object: o, copy: l })
    .from(o)
    .leftJoin(l, and(eq(l.contentAddress, o.contentAddress), eq(l.backend, backend)))
    .where(inArray(o.contentAddress, [...addresses]));
}

/** The copies of a backend in order of address, each with its object. */
export function selectCopiesAt(
  { sql, tables: { objects: o, storageLocations: l } }: Place,
  backend: string,
  { after, limit }: WalkPage,
): Query<{ object: Row<"objects">; copy: CopyRow }[]> {
  return sql
    .select({ object: o, copy: l })
    .from(l)
    .innerJoin(o, eq(o.contentAddress, l.contentAddress))
    .where(and(eq(l.backend, backend), isAfter(l.contentAddress, after)))
    .orderBy(asc(l.contentAddress))
    .limit(limit);
}

/** Objects in order of address. */
export function selectObjects(
  { sql, tables: { objects: o } }: Place,
  { after, limit }: WalkPage,
): Query<Row<"objects">[]> {
  return sql
    .select()
    .from(o)
    .where(isAfter(o.contentAddress, after))
    .orderBy(asc(o.contentAddress))
    .limit(limit);
}

/** The copies of some objects, in no order. */
export function selectCopiesOf(
  { sql, tables: { storageLocations: l } }: Place,
  addresses: readonly string[],
): Query<CopyRow[]> {
  return sql
    .select()
    .from(l)
    .where(inArray(l.contentAddress, [...addresses]));
}

/** The retention class of one package that has the object; no row where none has. */
export function selectRetentionClass(
  { sql, tables: { artifactFiles: f, artifactPackages: p } }: Place,
  address: string,
): Query<{ retentionClass: string }[]> {
  return sql
    .select({ retentionClass: p.retentionClass })
    .from(f)
    .innerJoin(p, eq(p.packageId, f.packageId))
    .where(eq(f.contentAddress, address))
    .limit(1);
}

/** The copies of a backend whose restore is under way or done, in order of address. */
export function selectRestoring(
  { sql, tables: { storageLocations: t } }: Place,
  backend: string,
  { after, limit }: WalkPage,
): Query<CopyRow[]> {
  return sql
    .select()
    .from(t)
    .where(
      // In these very words, so that a database sees that the index has what is asked for.
      and(
        eq(t.backend, backend),
        raw`${t.restoreStatus} <> 'none'`,
        isAfter(t.contentAddress, after),
      ),
    )
    .orderBy(asc(t.contentAddress))
    .limit(limit);
}

/** How many copies of each backend are not whole; backends without one are not among them. */
export function selectDamaged({
  sql,
  tables: { storageLocations: t },
}: Place): Query<{ backend: string; count: number | string }[]> {
  return (
    sql
      .select({ backend: t.backend, count: raw<number | string>`count(*)` })
      .from(t)
      // In these very words, so that a database sees that the index has what is asked for.
      .where(raw`${t.status} <> 'ok'`)
      .groupBy(t.backend)
  );
}

/** Said of the first page too, so that a database sees that the key is to be followed. */
function isAfter(
  column: Tables["objects"]["contentAddress"] | Tables["storageLocations"]["contentAddress"],
  after: string | undefined,
): SQL {
  return gt(column, after ?? "");
}

/** How many rows are counted one by one; more are estimated. */
const countedRows = 10_000;

/**
 * How many objects there are, or copies at a backend. Beyond ten thousand it is reckoned from how
 * close together the first of them lie, since addresses are spread evenly: within a few per cent.
 */
export async function countRows(place: Place, backend: string | undefined): Promise<number> {
  const [row] = await selectExtent(place, backend);
  const count = Number(row?.count ?? 0);
  const last = row?.last;
  if (count < countedRows || last === null || last === undefined) return count;
  return Math.max(count, Math.round(count / shareBelow(parseContentAddress(last))));
}

export function selectExtent(
  { sql, tables: { objects: o, storageLocations: l } }: Place,
  backend: string | undefined,
): Query<{ count: number | string; last: string | null }[]> {
  const first =
    backend === undefined
      ? sql
          .select({ address: o.contentAddress })
          .from(o)
          .where(isAfter(o.contentAddress, undefined))
          .orderBy(asc(o.contentAddress))
          .limit(countedRows)
          .as("first_rows")
      : sql
          .select({ address: l.contentAddress })
          .from(l)
          .where(eq(l.backend, backend))
          .orderBy(asc(l.contentAddress))
          .limit(countedRows)
          .as("first_rows");
  return sql
    .select({
      count: raw<number | string>`count(*)`,
      last: raw<string | null>`max(${first.address})`,
    })
    .from(first);
}

/** The share of all addresses that come up to this one. */
function shareBelow(address: ContentAddress): number {
  const { bytes } = digestOf(address);
  const high = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0);
  return (high + 1) / 2 ** 32;
}
