import { StoreError } from "@store/identity";

import type { Decide } from "./run.ts";
import type { ManifestDraft } from "../queries/manifest-draft.ts";
import { findOpenPackage, findPackage, refuseClaimed, rowReference } from "../queries/find.ts";
import { packageInfo } from "../queries/rows.ts";
import { rowSubject } from "../events/subjects.ts";
import type { FinalizedPackage } from "../types.ts";

/**
 * Claims the coordinates and records the manifest. `package_changed` where the package moved
 * since the manifest was drafted; `package_exists` where another package was first.
 */
export function finalizePackage(draft: ManifestDraft): Decide<FinalizedPackage> {
  return async ({ sql }) => {
    const row = await findOpenPackage(sql, draft.packageId);
    if (row.revision !== draft.revision) {
      throw new StoreError(
        "package_changed",
        `${rowReference(row)} changed while it was being finalized. Finalize it again.`,
        { context: { expected: draft.revision, actual: row.revision } },
      );
    }
    await refuseClaimed(sql, row);
    return {
      events: [
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
      ],
      answer: async (view) => ({
        package: packageInfo(await findPackage(view.sql, draft.packageId)),
        manifestDigest: draft.digest,
      }),
    };
  };
}
