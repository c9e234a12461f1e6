import type { Query, Row, Sql, Tables } from "@store/database";
import {
  contentAddress,
  Digest,
  digestOf,
  parseContentAddress,
  type ContentAddress,
  type DualDigest,
} from "@store/identity";
import { and, eq, gt, inArray, or, sql as raw, type SQL } from "drizzle-orm";

import { limits } from "../limits.ts";
import type { Caller, Scope } from "../scope.ts";
import type { ObjectInfo } from "../types.ts";
import { findObject, objectDigest, selectObject, unknownObject } from "./objects.ts";
import { isWithin, type ListedRanges } from "./range-query.ts";

/** Where objects are looked up, and when. */
interface View {
  readonly sql: Sql;
  readonly tables: Tables;
  readonly now: string;
}

/**
 * The object that an address of either algorithm names, if the caller may read it: some file of a
 * package that is covered points at it, or the caller has uploaded it whole. Of the files that
 * point at it, {@link limits.objectReferences} are looked at. Throws `object_not_found`.
 */
export async function findReadableObject(
  view: View,
  { actor, scope }: Caller,
  address: ContentAddress,
): Promise<DualDigest> {
  const object = await findCovered(view, scope, address);
  if (object !== undefined) return objectDigest(object);
  const uploads = await selectUploads(view, actor, [address]);
  const upload = uploads.map(uploadDigest).find((digest) => digest !== undefined);
  if (upload !== undefined) return upload;
  throw unknownObject(address);
}

/** The object that an address names, if some package has it that the scope covers. */
async function findCovered(
  view: View,
  { ranges }: Scope,
  address: ContentAddress,
): Promise<Row<"objects"> | undefined> {
  if (ranges === undefined) return findObject(view.sql, address);
  const [row] = await selectCovered(view, ranges, [address]);
  return row === undefined ? undefined : selectObject(view.sql, row.contentAddress);
}

/**
 * Whether a caller who has sent an object's bytes may learn that it was there: to others it would
 * tell what packages hold that they may not read.
 */
export async function mayBeTold(
  view: Pick<View, "sql" | "tables">,
  { ranges }: Scope,
  address: ContentAddress,
): Promise<boolean> {
  return ranges === undefined || (await selectCovered(view, ranges, [address])).length > 0;
}

/** An object as its readers see it. */
export function objectInfo({ primary, sha256, sizeBytes }: DualDigest): ObjectInfo {
  return { address: contentAddress(primary), sha256: contentAddress(sha256), sizeBytes };
}

/**
 * Addresses looked up by one statement. Fewer where each may have to look at many files: one
 * statement keeps the event loop of an embedded instance.
 */
const addressesAtOnce = { known: 1_000, covered: 200 } as const;

/** Those of the addresses that name nothing that the caller may read, each once. */
export async function listUnreadable(
  view: View,
  { actor, scope }: Caller,
  addresses: readonly ContentAddress[],
): Promise<ContentAddress[]> {
  const { ranges } = scope;
  const size = ranges === undefined ? addressesAtOnce.known : addressesAtOnce.covered;
  const uncovered = await without([...new Set(addresses)], size, (some) =>
    selectCovered(view, ranges, some),
  );
  return without(uncovered, addressesAtOnce.known, (some) => selectUploads(view, actor, some));
}

interface Addressed {
  readonly contentAddress: string | null;
  readonly digestSha256: Uint8Array | null;
}

/** The addresses that no question finds, which never asks by two algorithms at once. */
async function without(
  addresses: readonly ContentAddress[],
  size: number,
  find: (some: readonly ContentAddress[]) => PromiseLike<readonly Addressed[]>,
): Promise<ContentAddress[]> {
  const found = new Set<string>();
  for (const same of Map.groupBy(addresses, isSha256).values()) {
    for (let start = 0; start < same.length; start += size) {
      const some = same.slice(start, start + size);
      for (const row of await find(some)) found.add(addressOf(row, some));
    }
  }
  return addresses.filter((address) => !found.has(address));
}

/** A row's address by the algorithm that it was asked for by. */
function addressOf(row: Addressed, [asked]: readonly ContentAddress[]): string {
  const { contentAddress: primary, digestSha256 } = row;
  if (asked === undefined || !isSha256(asked) || digestSha256 === null) return primary ?? "";
  return contentAddress(Digest.of("sha256", digestSha256));
}

function isSha256(address: ContentAddress): boolean {
  return address.startsWith("sha256:");
}

type CoveredRow = Pick<Row<"objects">, "contentAddress" | "digestSha256">;

/** Of the addresses, which are of one algorithm, the objects that some covered package has. */
export function selectCovered(
  { sql, tables }: Pick<View, "sql" | "tables">,
  ranges: ListedRanges,
  addresses: readonly ContentAddress[],
): Query<CoveredRow[]> {
  const { objects: t } = tables;
  return sql
    .select({ contentAddress: t.contentAddress, digestSha256: t.digestSha256 })
    .from(t)
    .where(
      and(
        isAddressed(t, addresses),
        ranges === undefined ? undefined : isReferenced(sql, tables, ranges),
      ),
    );
}

/** Whether one of the first files that point at the object is of a package in the ranges. */
function isReferenced(
  sql: Sql,
  { objects, artifactFiles: f, artifactPackages: p }: Tables,
  ranges: NonNullable<ListedRanges>,
): SQL {
  const references = sql
    .select({ packageId: f.packageId })
    .from(f)
    .where(raw`${f.contentAddress} = ${objects.contentAddress}`)
    .limit(limits.objectReferences)
    .as("reference");
  const isCovered = or(...ranges.map((range) => and(...isWithin(p, range, undefined))));
  const covered = sql
    .select({ found: raw`1` })
    .from(references)
    .innerJoin(p, eq(p.packageId, references.packageId))
    .where(isCovered ?? raw`1 = 0`);
  return raw`exists ${covered}`;
}

/** The caller's own complete uploads of the addresses. */
function selectUploads(
  { sql, tables: { uploadSessions: t }, now }: View,
  actor: string,
  addresses: readonly ContentAddress[],
): Query<Row<"uploadSessions">[]> {
  return sql
    .select()
    .from(t)
    .where(
      and(
        eq(t.actor, actor),
        eq(t.status, "complete"),
        gt(t.expiresAt, now),
        isAddressed(t, addresses),
      ),
    );
}

function uploadDigest(row: Row<"uploadSessions">): DualDigest | undefined {
  if (row.contentAddress === null || row.digestSha256 === null) return undefined;
  const primary = digestOf(parseContentAddress(row.contentAddress));
  const sha256 = Digest.of("sha256", row.digestSha256);
  return { primary, sha256, sizeBytes: row.offsetBytes };
}

/** Addresses of two algorithms in one question would keep a database from its indexes. */
function isAddressed(
  t: Tables["objects"] | Tables["uploadSessions"],
  addresses: readonly ContentAddress[],
): SQL {
  const [first] = addresses;
  if (first === undefined || !isSha256(first)) return inArray(t.contentAddress, [...addresses]);
  return inArray(
    t.digestSha256,
    addresses.map((address) => digestOf(address).bytes),
  );
}
