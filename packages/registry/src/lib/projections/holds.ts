import type { Row } from "@store/database";
import { and, eq, sql as raw } from "drizzle-orm";

import type { RecordedEvent } from "../events/types.ts";
import type { ViewWriter } from "./view-writer.ts";

/** The row of a hold that was just placed. */
export function placedHoldRow({
  payload,
  ...event
}: RecordedEvent<"v1.hold.placed">): Row<"retentionHolds"> {
  return {
    holdId: payload.hold_id,
    packageId: payload.package_id,
    reason: payload.reason,
    placedAt: event.occurredAt,
    placedBy: event.actor,
    releasedAt: null,
    releasedBy: null,
  };
}

export async function projectHoldPlaced(
  views: ViewWriter,
  event: RecordedEvent<"v1.hold.placed">,
): Promise<void> {
  await Promise.all([
    views.sql.insert(views.tables.retentionHolds).values(placedHoldRow(event)),
    moveOpenPackage(views, event.payload.package_id),
  ]);
}

/** What a release changes in the row of a hold. */
export function releasedHold(event: RecordedEvent<"v1.hold.released">) {
  return { releasedAt: event.occurredAt, releasedBy: event.actor };
}

export async function projectHoldReleased(
  views: ViewWriter,
  event: RecordedEvent<"v1.hold.released">,
): Promise<void> {
  const { retentionHolds } = views.tables;
  await Promise.all([
    views.sql
      .update(retentionHolds)
      .set(releasedHold(event))
      .where(eq(retentionHolds.holdId, event.payload.hold_id)),
    moveOpenPackage(views, event.payload.package_id),
  ]);
}

/** The manifest names the holds of its package, so an open package changes with them. */
async function moveOpenPackage(
  { sql, tables: { artifactPackages } }: ViewWriter,
  packageId: string,
): Promise<void> {
  await sql
    .update(artifactPackages)
    .set({ revision: raw`${artifactPackages.revision} + 1` })
    .where(and(eq(artifactPackages.packageId, packageId), eq(artifactPackages.status, "open")));
}
