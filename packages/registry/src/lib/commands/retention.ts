import { setRetentionRow } from "../projections/retention.ts";
import { findFinalizedPackage, findRetentionClass } from "../queries/find.ts";
import { findRetention } from "../queries/retention.ts";
import { retentionInfo } from "../queries/rows.ts";
import { rowSubject } from "../events/subjects.ts";
import { expiry } from "../times.ts";
import type { RetentionInfo } from "../types.ts";
import { together } from "../together.ts";
import { changed, unchanged, type Decide } from "./decision.ts";

/** Gives a finalized package another class; its time runs from when it was finalized. */
export function setRetention(packageId: string, retentionClass: string): Decide<RetentionInfo> {
  return async ({ sql }) => {
    const [row, { durationDays }] = await together([
      findFinalizedPackage(sql, packageId),
      findRetentionClass(sql, retentionClass),
    ]);
    const current = await findRetention(sql, packageId);
    if (current.retentionClass === retentionClass) return unchanged(retentionInfo(current));
    return changed(
      {
        type: "v1.retention.set",
        subject: rowSubject(row),
        payload: {
          package_id: packageId,
          retention_class: retentionClass,
          expires_at: expiry(row.finalizedAt, durationDays),
        },
      },
      (event) => retentionInfo(setRetentionRow(event)),
    );
  };
}
