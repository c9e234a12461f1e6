import { StoreError } from "@store/identity";

import { finalizedPackage } from "../projections/packages.ts";
import { findOpenPackage, refuseClaimed, rowReference } from "../queries/find.ts";
import type { ManifestDraft } from "../queries/manifest-draft.ts";
import { packageSummary } from "../queries/rows.ts";
import { rowSubject } from "../events/subjects.ts";
import type { FinalizedPackage } from "../types.ts";
import { together } from "../together.ts";
import { changed, type Decide } from "./decision.ts";

/**
 * Claims the coordinates and records the manifest. `package_changed` where the package moved
 * since the manifest was drafted; `package_exists` where another package was first.
 */
export function finalizePackage(draft: ManifestDraft): Decide<FinalizedPackage> {
  return async ({ sql }) => {
    const [row] = await together([
      findOpenPackage(sql, draft.packageId),
      refuseClaimed(sql, draft.coordinates),
    ]);
    if (row.revision !== draft.revision) {
      throw new StoreError(
        "package_changed",
        `${rowReference(row)} changed while it was being finalized. Finalize it again.`,
        { context: { expected: draft.revision, actual: row.revision } },
      );
    }
    return changed(
      {
        type: "v1.package.finalized",
        subject: rowSubject(row),
        recorded: draft.bytes,
        payload: {
          package_id: draft.packageId,
          namespace: row.namespace,
          name: row.name,
          manifest_digest: draft.digest,
          manifest_size: draft.bytes.byteLength,
          retention_class: draft.retentionClass,
          ...(draft.expiresAt === undefined ? {} : { expires_at: draft.expiresAt }),
        },
      },
      (event) => ({
        package: packageSummary({ ...row, ...finalizedPackage(event) }),
        manifestDigest: draft.digest,
      }),
    );
  };
}
