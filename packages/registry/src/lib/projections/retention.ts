import type { Row } from "@store/database";
import { eq } from "drizzle-orm";

import type { RecordedEvent } from "../events/types.ts";
import type { ViewWriter } from "./view-writer.ts";

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

/** The retention state of a package of which a class was just set. */
export function setRetentionRow({
  payload,
  ...event
}: RecordedEvent<"v1.retention.set">): Row<"retentionState"> {
  return {
    packageId: payload.package_id,
    retentionClass: payload.retention_class,
    expiresAt: payload.expires_at ?? null,
    setAt: event.occurredAt,
    setBy: event.actor,
  };
}

export async function projectRetentionSet(
  { sql, tables: { artifactPackages, retentionState } }: ViewWriter,
  event: RecordedEvent<"v1.retention.set">,
): Promise<void> {
  const row = setRetentionRow(event);
  const { packageId, retentionClass } = row;
  await Promise.all([
    sql.update(retentionState).set(row).where(eq(retentionState.packageId, packageId)),
    sql
      .update(artifactPackages)
      .set({ retentionClass })
      .where(eq(artifactPackages.packageId, packageId)),
  ]);
}
