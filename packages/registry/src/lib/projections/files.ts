import { statement } from "@store/database";
import { contentAddress, Digest } from "@store/identity";
import { and, eq, sql as raw } from "drizzle-orm";

import type { RecordedEvent } from "../events/types.ts";
import type { ViewWriter } from "./view-writer.ts";

const upsertFile = statement((sql, { artifactFiles }, p) => {
  const row = {
    sizeBytes: p("sizeBytes"),
    mediaType: p("mediaType"),
    executable: p("executable"),
    digestAlgorithm: "blake3",
    digestPrimary: p("digestPrimary"),
    digestSha256: p("digestSha256"),
    contentAddress: p("contentAddress"),
    backend: p("backend"),
    storedAt: p("storedAt"),
    addedSeq: p("seq"),
  };
  return sql
    .insert(artifactFiles)
    .values({ packageId: p("packageId"), path: p("path"), ...row })
    .onConflictDoUpdate({ target: [artifactFiles.packageId, artifactFiles.path], set: row });
});

const insertObject = statement((sql, { objects }, p) =>
  sql
    .insert(objects)
    .values({
      contentAddress: p("contentAddress"),
      digestAlgorithm: "blake3",
      digestPrimary: p("digestPrimary"),
      digestSha256: p("digestSha256"),
      sizeBytes: p("sizeBytes"),
      firstSeq: p("seq"),
      storedAt: p("storedAt"),
    })
    .onConflictDoNothing(),
);

const insertLocation = statement((sql, { storageLocations }, p) =>
  sql
    .insert(storageLocations)
    .values({
      contentAddress: p("contentAddress"),
      backend: p("backend"),
      storedAt: p("storedAt"),
      retrievalTier: "hot",
      restoreStatus: "none",
      status: "ok",
    })
    .onConflictDoNothing(),
);

const movePackage = statement((sql, { artifactPackages }, p) =>
  sql
    .update(artifactPackages)
    .set({
      revision: raw`${artifactPackages.revision} + 1`,
      fileCount: raw`${artifactPackages.fileCount} + ${p("files")}`,
      sizeBytes: raw`${artifactPackages.sizeBytes} + ${p("bytes")}`,
      openExpiresAt: p("openExpiresAt"),
    })
    .where(eq(artifactPackages.packageId, p("packageId"))),
);

export async function projectFileAdded(
  views: ViewWriter,
  event: RecordedEvent<"v1.file.added">,
): Promise<void> {
  const { payload, seq } = event;
  const object = {
    contentAddress: contentAddress(Digest.of("blake3", payload.digests.blake3)),
    digestPrimary: payload.digests.blake3,
    digestSha256: payload.digests.sha256,
    sizeBytes: payload.size,
    backend: payload.backend,
    storedAt: event.occurredAt,
    seq,
  };
  await Promise.all([
    upsertFile(views.sql, {
      ...object,
      packageId: payload.package_id,
      path: payload.path,
      mediaType: payload.media_type ?? null,
      executable: payload.executable ?? false,
    }),
    insertObject(views.sql, object),
    insertLocation(views.sql, object),
    movePackage(views.sql, {
      packageId: payload.package_id,
      files: payload.replaced_size === undefined ? 1 : 0,
      bytes: payload.size - (payload.replaced_size ?? 0),
      openExpiresAt: payload.open_until,
    }),
  ]);
}

const deleteFile = statement((sql, { artifactFiles }, p) =>
  sql
    .delete(artifactFiles)
    .where(and(eq(artifactFiles.packageId, p("packageId")), eq(artifactFiles.path, p("path")))),
);

export async function projectFileRemoved(
  views: ViewWriter,
  event: RecordedEvent<"v1.file.removed">,
): Promise<void> {
  const { payload } = event;
  const packageId = payload.package_id;
  await Promise.all([
    deleteFile(views.sql, { packageId, path: payload.path }),
    movePackage(views.sql, {
      packageId,
      files: -1,
      bytes: -payload.size,
      openExpiresAt: payload.open_until,
    }),
  ]);
}
