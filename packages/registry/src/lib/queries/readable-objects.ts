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
import type { Caller } from "../scope.ts";
import type { ObjectInfo } from "../types.ts";
import { objectDigest, selectObject, unknownObject } from "./objects.ts";
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
  const [row] = await selectCovered(view, scope.ranges, [address]);
  const object = row === undefined ? undefined : await selectObject(view.sql, row.contentAddress);
  if (object !== undefined) return objectDigest(object);
  const uploads = await selectUploads(view, actor, [address]);
  const upload = uploads.map(uploadDigest).find((digest) => digest !== undefined);
  if (upload !== undefined) return upload;
  throw unknownObject(address);
}

/** An object as its readers see it. */
export function objectInfo({ primary, sha256, sizeBytes }: DualDigest): ObjectInfo {
  return { address: contentAddress(primary), sha256: contentAddress(sha256), sizeBytes };
}

/**
 * Addresses looked up by one statement. Fewer where each may have to look at many files: one
 * statement keeps the event loop of an embedded instance.
 */
const addressesAtOnce = { known: 1_000, covered: 100 } as const;

/** Those of the addresses that name nothing that the caller may read, each once. */
export async function listUnreadable(
  view: View,
  { actor, scope }: Caller,
  addresses: readonly ContentAddress[],
): Promise<ContentAddress[]> {
  const missing = new Set(addresses);
  const size = scope.ranges === undefined ? addressesAtOnce.known : addressesAtOnce.covered;
  for (const some of chunksOf(missing, size)) {
    for (const row of await selectCovered(view, scope.ranges, some)) forget(missing, row);
  }
  for (const some of chunksOf(missing, addressesAtOnce.known)) {
    for (const row of await selectUploads(view, actor, some)) forget(missing, row);
  }
  return [...missing];
}

interface Addressed {
  readonly contentAddress: string | null;
  readonly digestSha256: Uint8Array | null;
}

function forget(missing: Set<ContentAddress>, row: Addressed): void {
  if (row.contentAddress !== null) missing.delete(parseContentAddress(row.contentAddress));
  if (row.digestSha256 !== null) {
    missing.delete(contentAddress(Digest.of("sha256", row.digestSha256)));
  }
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
  const digests = addresses.map(digestOf);
  if (digests[0]?.algorithm !== "sha256") return inArray(t.contentAddress, [...addresses]);
  return inArray(
    t.digestSha256,
    digests.map(({ bytes }) => bytes),
  );
}

/** The addresses as they are now, some at a time, never of two algorithms at once. */
function* chunksOf(
  addresses: ReadonlySet<ContentAddress>,
  size: number,
): Generator<readonly ContentAddress[]> {
  const byAlgorithm = Map.groupBy(addresses, (address) => digestOf(address).algorithm);
  for (const same of byAlgorithm.values()) {
    for (let start = 0; start < same.length; start += size) yield same.slice(start, start + size);
  }
}
