import type { Sql } from "@store/database";
import { contentAddress, parseContentAddress, type ContentAddress } from "@store/identity";
import {
  encodeManifest,
  manifestDigest,
  type Manifest,
  type ManifestFile,
  type ManifestReceipt,
} from "@store/manifest";

import { Pace } from "../pace.ts";
import { expiry } from "../times.ts";
import { allFiles } from "./files.ts";
import { findMetadata, findOpenPackage, findRetentionClass } from "./find.ts";
import { activeHolds } from "./retention.ts";
import type { FileRow, PackageRow } from "./rows.ts";

/** A manifest built outside the writer, from one revision of an open package. */
export interface ManifestDraft {
  readonly packageId: string;
  readonly coordinates: Pick<PackageRow, "namespace" | "name" | "version" | "variant">;
  readonly revision: number;
  readonly bytes: Uint8Array;
  readonly digest: ContentAddress;
  readonly retentionClass: string;
  readonly expiresAt: string | undefined;
}

/** Builds and encodes the manifest that finalizing the package now would give it. */
export async function draftManifest(
  sql: Sql,
  packageId: string,
  finalized: { readonly by: string; readonly at: string },
): Promise<ManifestDraft> {
  // Read first: what changes while the rest is read has another revision.
  const row = await findOpenPackage(sql, packageId);
  const [metadata, { durationDays }, holds, contents] = await Promise.all([
    findMetadata(sql, packageId),
    findRetentionClass(sql, row.retentionClass),
    activeHolds(sql, packageId),
    readContents(sql, packageId),
  ]);
  const expiresAt = expiry(finalized.at, durationDays);
  const bytes = await encodeManifest({
    manifest_version: 1,
    package: manifestPackage(row, metadata),
    ...contents,
    retention_summary: {
      class: row.retentionClass,
      ...(expiresAt === undefined ? {} : { expires_at: expiresAt }),
      holds,
    },
    provenance: {
      actor: finalized.by,
      ...(row.source === null ? {} : { source: row.source }),
      ...(row.build === null ? {} : { build: row.build }),
    },
  });
  const { namespace, name, version, variant, revision, retentionClass } = row;
  return {
    packageId,
    coordinates: { namespace, name, version, variant },
    revision,
    bytes,
    digest: contentAddress(await manifestDigest(bytes)),
    retentionClass,
    expiresAt,
  };
}

async function readContents(
  sql: Sql,
  packageId: string,
): Promise<Pick<Manifest, "files" | "storage_receipts">> {
  const files: ManifestFile[] = [];
  const receipts = new Map<string, ManifestReceipt>();
  for await (const rows of allFiles(sql, packageId)) {
    for (const file of rows) {
      files.push(manifestFile(file));
      keepEarliest(receipts, file);
    }
  }
  return { files, storage_receipts: await sortedReceipts(receipts) };
}

function manifestPackage(row: PackageRow, metadata: Uint8Array | null): Manifest["package"] {
  return {
    namespace: row.namespace,
    name: row.name,
    version: row.version,
    ...(row.variant === "" ? {} : { variant: row.variant }),
    created_at: row.createdAt,
    ...(metadata === null ? {} : { metadata }),
  };
}

function manifestFile(row: FileRow): ManifestFile {
  return {
    path: row.path,
    size: row.sizeBytes,
    ...(row.mediaType === null ? {} : { media_type: row.mediaType }),
    ...(row.executable ? { executable: true } : {}),
    digests: { blake3: row.digestPrimary, sha256: row.digestSha256 },
  };
}

/** One receipt for each object and backend: from when the package first accepted the object. */
function keepEarliest(
  receipts: Map<string, ManifestReceipt>,
  { contentAddress: address, backend, storedAt }: FileRow,
): void {
  const key = `${address} ${backend}`;
  const known = receipts.get(key);
  if (known !== undefined && known.stored_at <= storedAt) return;
  receipts.set(key, {
    content_address: parseContentAddress(address),
    backend,
    stored_at: storedAt,
  });
}

/** `blake3:` and the first byte of the digest. */
const shardLength = "blake3:00".length;

/** By address, then backend; one shard of the addresses after another, since all take a while. */
async function sortedReceipts(
  receipts: ReadonlyMap<string, ManifestReceipt>,
): Promise<ManifestReceipt[]> {
  const pace = new Pace();
  const shards = Map.groupBy(receipts.values(), ({ content_address: address }) =>
    address.slice(0, shardLength),
  );
  const sorted: ManifestReceipt[] = [];
  for (const shard of [...shards.keys()].sort()) {
    sorted.push(...(shards.get(shard) ?? []).sort(byAddressAndBackend));
    await pace.keep();
  }
  return sorted;
}

function byAddressAndBackend(a: ManifestReceipt, b: ManifestReceipt): number {
  if (a.content_address !== b.content_address) {
    return a.content_address < b.content_address ? -1 : 1;
  }
  return a.backend < b.backend ? -1 : 1;
}
