import { statement, type Row, type StatementParameters } from "@store/database";
import { isPrerelease, versionSortKey } from "@store/identity";
import { and, eq, inArray, sql as raw } from "drizzle-orm";

import type { RecordedEvent } from "../events/types.ts";
import { projectNamed, projectUnnamed } from "./name-words.ts";
import type { ViewWriter } from "./view-writer.ts";

type PackageRow = Row<"artifactPackages">;

/** The row of a package that was just created. */
export function createdPackageRow({
  payload,
  ...event
}: RecordedEvent<"v1.package.created">): PackageRow {
  return {
    packageId: payload.package_id,
    namespace: payload.namespace,
    name: payload.name,
    version: payload.version,
    variant: payload.variant ?? "",
    versionSortKey: versionSortKey(payload.version),
    prerelease: isPrerelease(payload.version),
    status: "open",
    revision: 0,
    createdAt: event.occurredAt,
    createdSeq: event.seq,
    createdBy: event.actor,
    metadata: payload.metadata ?? null,
    metadataSchema: payload.metadata_schema ?? null,
    retentionClass: payload.retention_class,
    source: payload.source ?? null,
    build: payload.build ?? null,
    openExpiresAt: payload.open_until,
    finalizedAt: null,
    finalizedSeq: null,
    manifestDigest: null,
    manifestSize: null,
    fileCount: 0,
    sizeBytes: 0,
    yankedAt: null,
    yankReason: null,
  };
}

/** A row of which some columns begin as null, and are left out. */
type InsertedColumns = Omit<
  PackageRow,
  "finalizedAt" | "finalizedSeq" | "manifestDigest" | "manifestSize" | "yankedAt" | "yankReason"
>;

const insertPackage = statement(
  (sql, { artifactPackages }, p: StatementParameters<InsertedColumns>) =>
    sql.insert(artifactPackages).values({
      packageId: p("packageId"),
      namespace: p("namespace"),
      name: p("name"),
      version: p("version"),
      variant: p("variant"),
      versionSortKey: p("versionSortKey"),
      prerelease: p("prerelease"),
      status: p("status"),
      revision: p("revision"),
      createdAt: p("createdAt"),
      createdSeq: p("createdSeq"),
      createdBy: p("createdBy"),
      metadata: p("metadata"),
      metadataSchema: p("metadataSchema"),
      retentionClass: p("retentionClass"),
      source: p("source"),
      build: p("build"),
      openExpiresAt: p("openExpiresAt"),
      fileCount: p("fileCount"),
      sizeBytes: p("sizeBytes"),
    }),
);

export async function projectPackageCreated(
  views: ViewWriter,
  event: RecordedEvent<"v1.package.created">,
): Promise<void> {
  await Promise.all([
    insertPackage(views.sql, createdPackageRow(event)),
    projectNamed(views, event.payload),
  ]);
}

/** What finalizing changes in the row of a package. */
export function finalizedPackage({ payload, ...event }: RecordedEvent<"v1.package.finalized">) {
  return {
    status: "finalized",
    openExpiresAt: null,
    finalizedAt: event.occurredAt,
    finalizedSeq: event.seq,
    manifestDigest: payload.manifest_digest,
    manifestSize: payload.manifest_size,
  } as const;
}

const finalizePackage = statement((sql, { artifactPackages }, p) =>
  sql
    .update(artifactPackages)
    .set({
      status: p("status"),
      openExpiresAt: p("openExpiresAt"),
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
  const { payload, occurredAt, actor } = event;
  const { namespace, name, package_id: packageId } = payload;
  await Promise.all([
    finalizePackage(views.sql, { packageId, ...finalizedPackage(event) }),
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

const selectName = statement((sql, { artifactPackages: t }, p) =>
  sql
    .select({ namespace: t.namespace, name: t.name })
    .from(t)
    .where(eq(t.packageId, p("packageId"))),
);

const deletePackage = statement((sql, { artifactPackages }, p) =>
  sql.delete(artifactPackages).where(eq(artifactPackages.packageId, p("packageId"))),
);

/** Files that one statement forgets: more would keep the event loop of an embedded instance. */
const filesAtOnce = 10_000;

const deleteSomeFiles = statement((sql, { artifactFiles: t }, p) => {
  const isOfPackage = eq(t.packageId, p("packageId"));
  const some = sql.select({ path: t.path }).from(t).where(isOfPackage).limit(filesAtOnce);
  return sql.delete(t).where(and(isOfPackage, inArray(t.path, raw`${some}`)));
});

async function deleteFiles(views: ViewWriter, packageId: string): Promise<void> {
  for (;;) {
    const { changes } = await deleteSomeFiles(views.sql, { packageId });
    if (changes < filesAtOnce) return;
  }
}

const deleteHolds = statement((sql, { retentionHolds }, p) =>
  sql.delete(retentionHolds).where(eq(retentionHolds.packageId, p("packageId"))),
);

/** The package ends without a trace; the holds that it had are released ones. */
export async function projectPackageAbandoned(
  views: ViewWriter,
  event: RecordedEvent<"v1.package.abandoned">,
): Promise<void> {
  const packageId = event.payload.package_id;
  const [named] = await selectName(views.sql, { packageId });
  await Promise.all([
    deletePackage(views.sql, { packageId }),
    deleteFiles(views, packageId),
    deleteHolds(views.sql, { packageId }),
  ]);
  if (named !== undefined) await projectUnnamed(views, named);
}

/** What yanking changes in the row of a package. */
export function yankedPackage(event: RecordedEvent<"v1.package.yanked">) {
  return {
    status: "yanked",
    yankedAt: event.occurredAt,
    yankReason: event.payload.reason ?? null,
  } as const;
}

/** What taking a yank back changes in the row of a package. */
export function unyankedPackage() {
  return { status: "finalized", yankedAt: null, yankReason: null } as const;
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
  await setYanked(views.sql, { packageId: event.payload.package_id, ...yankedPackage(event) });
}

export async function projectPackageUnyanked(
  views: ViewWriter,
  event: RecordedEvent<"v1.package.unyanked">,
): Promise<void> {
  await setYanked(views.sql, { packageId: event.payload.package_id, ...unyankedPackage() });
}
