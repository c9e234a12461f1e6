import { statement } from "@store/database";
import { isPrerelease, versionSortKey } from "@store/identity";
import { eq, sql as raw } from "drizzle-orm";

import type { RecordedEvent } from "../events/types.ts";
import type { ViewWriter } from "./project.ts";

const insertPackage = statement((sql, { artifactPackages }, p) =>
  sql.insert(artifactPackages).values({
    packageId: p("packageId"),
    namespace: p("namespace"),
    name: p("name"),
    version: p("version"),
    variant: p("variant"),
    versionSortKey: p("versionSortKey"),
    prerelease: p("prerelease"),
    status: "open",
    revision: 0,
    createdAt: p("createdAt"),
    createdSeq: p("createdSeq"),
    createdBy: p("createdBy"),
    metadata: p("metadata"),
    metadataSchema: p("metadataSchema"),
    retentionClass: p("retentionClass"),
    source: p("source"),
    build: p("build"),
    openExpiresAt: p("openExpiresAt"),
    fileCount: 0,
    sizeBytes: 0,
  }),
);

export async function projectPackageCreated(
  views: ViewWriter,
  event: RecordedEvent<"v1.package.created">,
): Promise<void> {
  const { payload } = event;
  await insertPackage(views.sql, {
    packageId: payload.package_id,
    namespace: payload.namespace,
    name: payload.name,
    version: payload.version,
    variant: payload.variant ?? "",
    versionSortKey: versionSortKey(payload.version),
    prerelease: isPrerelease(payload.version),
    createdAt: event.occurredAt,
    createdSeq: event.seq,
    createdBy: event.actor,
    metadata: payload.metadata ?? null,
    metadataSchema: payload.metadata_schema ?? null,
    retentionClass: payload.retention_class,
    source: payload.source ?? null,
    build: payload.build ?? null,
    openExpiresAt: payload.open_until,
  });
}

const finalizePackage = statement((sql, { artifactPackages }, p) =>
  sql
    .update(artifactPackages)
    .set({
      status: "finalized",
      openExpiresAt: null,
      finalizedAt: p("finalizedAt"),
      finalizedSeq: p("finalizedSeq"),
      manifestDigest: p("manifestDigest"),
      manifestSize: p("manifestSize"),
    })
    .where(eq(artifactPackages.packageId, p("packageId"))),
);

const insertRetention = statement((sql, { retentionState }, p) =>
  sql.insert(retentionState).values({
    packageId: p("packageId"),
    retentionClass: p("retentionClass"),
    expiresAt: p("expiresAt"),
    setAt: p("setAt"),
    setBy: p("setBy"),
  }),
);

const countName = statement((sql, { packageNames }, p) =>
  sql
    .insert(packageNames)
    .values({
      namespace: p("namespace"),
      name: p("name"),
      createdAt: p("at"),
      updatedAt: p("at"),
      finalizedCount: 1,
    })
    .onConflictDoUpdate({
      target: [packageNames.namespace, packageNames.name],
      set: { updatedAt: p("at"), finalizedCount: raw`${packageNames.finalizedCount} + 1` },
    }),
);

export async function projectPackageFinalized(
  views: ViewWriter,
  event: RecordedEvent<"v1.package.finalized">,
): Promise<void> {
  const { payload, occurredAt, seq, actor } = event;
  const { namespace, name, package_id: packageId } = payload;
  await Promise.all([
    finalizePackage(views.sql, {
      packageId,
      finalizedAt: occurredAt,
      finalizedSeq: seq,
      manifestDigest: payload.manifest_digest,
      manifestSize: payload.manifest_size,
    }),
    insertRetention(views.sql, {
      packageId,
      retentionClass: payload.retention_class,
      expiresAt: payload.expires_at ?? null,
      setAt: occurredAt,
      setBy: actor,
    }),
    countName(views.sql, { namespace, name, at: occurredAt }),
  ]);
}

const deletePackage = statement((sql, { artifactPackages }, p) =>
  sql.delete(artifactPackages).where(eq(artifactPackages.packageId, p("packageId"))),
);

const deleteFiles = statement((sql, { artifactFiles }, p) =>
  sql.delete(artifactFiles).where(eq(artifactFiles.packageId, p("packageId"))),
);

export async function projectPackageAbandoned(
  views: ViewWriter,
  event: RecordedEvent<"v1.package.abandoned">,
): Promise<void> {
  const packageId = event.payload.package_id;
  await Promise.all([
    deletePackage(views.sql, { packageId }),
    deleteFiles(views.sql, { packageId }),
  ]);
}

const setYanked = statement((sql, { artifactPackages }, p) =>
  sql
    .update(artifactPackages)
    .set({ status: p("status"), yankedAt: p("yankedAt"), yankReason: p("yankReason") })
    .where(eq(artifactPackages.packageId, p("packageId"))),
);

export async function projectPackageYanked(
  views: ViewWriter,
  event: RecordedEvent<"v1.package.yanked">,
): Promise<void> {
  await setYanked(views.sql, {
    packageId: event.payload.package_id,
    status: "yanked",
    yankedAt: event.occurredAt,
    yankReason: event.payload.reason ?? null,
  });
}

export async function projectPackageUnyanked(
  views: ViewWriter,
  event: RecordedEvent<"v1.package.unyanked">,
): Promise<void> {
  await setYanked(views.sql, {
    packageId: event.payload.package_id,
    status: "finalized",
    yankedAt: null,
    yankReason: null,
  });
}
