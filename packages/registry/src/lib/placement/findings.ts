import { isStoreError } from "@store/identity";

import type { FoundCopy } from "../commands/copies.ts";
import type { Instance } from "../instance.ts";

/** Who hears of what is found out about copies. */
export type Findings = Pick<Instance, "failing" | "reports">;

/** Reports what the failure of a read says of a copy, or of its backend. */
export function noteFailure(
  { failing, reports }: Findings,
  found: FoundCopy,
  failure: unknown,
): void {
  if (!isStoreError(failure)) return;
  switch (failure.code) {
    case "object_not_found":
      return reports.damaged(found, "missing");
    case "object_corrupt":
      return reports.damaged(found, "corrupt");
    case "restore_required":
      return reports.archived(found);
    case "storage_unavailable":
    case "permission_denied":
      failing.failed(found.backend);
      return reports.failed(found.backend, failure.code);
    default:
  }
}

/**
 * Reports a backend that a write failed at, if it says itself that it is unwell: the failure may be
 * the source's, or that of a thread.
 */
export function noteWriteFailure(
  { placement, reports }: Pick<Instance, "placement" | "reports">,
  name: string,
  failure: unknown,
): void {
  if (!isStoreError(failure)) return;
  const { code } = failure;
  if (code !== "storage_unavailable" && code !== "permission_denied") return;
  const health = placement.backend(name)?.health();
  health?.then(
    ({ healthy }) => {
      if (!healthy) reports.failed(name, code);
    },
    () => undefined,
  );
}
