import { and, eq, sql as raw } from "drizzle-orm";

import type { RecordedEvent } from "../events/types.ts";
import type { ViewWriter } from "./project.ts";

export async function projectRetentionClassDefined(
  { sql, tables: { retentionClasses } }: ViewWriter,
  event: RecordedEvent<"v1.retention.class_defined">,
): Promise<void> {
  const definition = {
    durationDays: event.payload.duration_days ?? null,
    definedSeq: event.seq,
  };
  await sql
    .insert(retentionClasses)
    .values({ name: event.payload.name, ...definition })
    .onConflictDoUpdate({ target: [retentionClasses.name], set: definition });
}

export async function projectRetentionSet(
  { sql, tables: { retentionState } }: ViewWriter,
  event: RecordedEvent<"v1.retention.set">,
): Promise<void> {
  await sql
    .update(retentionState)
    .set({
      retentionClass: event.payload.retention_class,
      expiresAt: event.payload.expires_at ?? null,
      setAt: event.occurredAt,
      setBy: event.actor,
    })
    .where(eq(retentionState.packageId, event.payload.package_id));
}

export async function projectHoldPlaced(
  { sql, tables: { artifactPackages, retentionHolds } }: ViewWriter,
  event: RecordedEvent<"v1.hold.placed">,
): Promise<void> {
  await sql.insert(retentionHolds).values({
    holdId: event.payload.hold_id,
    packageId: event.payload.package_id,
    reason: event.payload.reason,
    placedAt: event.occurredAt,
    placedBy: event.actor,
  });
  await moveOpenPackage(sql, artifactPackages, event.payload.package_id);
}

export async function projectHoldReleased(
  { sql, tables: { artifactPackages, retentionHolds } }: ViewWriter,
  event: RecordedEvent<"v1.hold.released">,
): Promise<void> {
  await sql
    .update(retentionHolds)
    .set({ releasedAt: event.occurredAt, releasedBy: event.actor })
    .where(eq(retentionHolds.holdId, event.payload.hold_id));
  await moveOpenPackage(sql, artifactPackages, event.payload.package_id);
}

/** The manifest names the holds of its package, so an open package changes with them. */
async function moveOpenPackage(
  sql: ViewWriter["sql"],
  artifactPackages: ViewWriter["tables"]["artifactPackages"],
  packageId: string,
): Promise<void> {
  await sql
    .update(artifactPackages)
    .set({ revision: raw`${artifactPackages.revision} + 1` })
    .where(and(eq(artifactPackages.packageId, packageId), eq(artifactPackages.status, "open")));
}
