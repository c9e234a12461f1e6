import { statement } from "@store/database";
import { contentAddress, Digest } from "@store/identity";
import { and, eq } from "drizzle-orm";

import type { RecordedEvent } from "../events/types.ts";
import type { ViewWriter } from "./view-writer.ts";

/** What the events of one copy have in common. */
type CopyEvent = RecordedEvent<
  | "v1.object.copied"
  | "v1.object.damaged"
  | "v1.object.mended"
  | "v1.object.removed"
  | "v1.object.restore_requested"
  | "v1.object.retrieval_changed"
>;

const upsertCopy = statement((sql, { storageLocations: t }, p) => {
  const row = {
    storedAt: p("storedAt"),
    retrievalTier: "hot",
    restoreStatus: "none",
    restoredUntil: null,
    status: "ok",
    statusAt: null,
  } as const;
  return sql
    .insert(t)
    .values({ contentAddress: p("contentAddress"), backend: p("backend"), ...row })
    .onConflictDoUpdate({ target: [t.contentAddress, t.backend], set: row });
});

/** A copy that was just made is like one that was never doubted, whatever stood there before. */
export async function projectObjectCopied(
  views: ViewWriter,
  event: RecordedEvent<"v1.object.copied">,
): Promise<void> {
  await upsertCopy(views.sql, { ...copyOf(event), storedAt: event.occurredAt });
}

const setStatus = statement((sql, { storageLocations: t }, p) =>
  sql
    .update(t)
    .set({ status: p("status"), statusAt: p("statusAt") })
    .where(and(eq(t.contentAddress, p("contentAddress")), eq(t.backend, p("backend")))),
);

export async function projectObjectDamaged(
  views: ViewWriter,
  event: RecordedEvent<"v1.object.damaged">,
): Promise<void> {
  const status = { status: event.payload.finding, statusAt: event.occurredAt };
  await setStatus(views.sql, { ...copyOf(event), ...status });
}

export async function projectObjectMended(
  views: ViewWriter,
  event: RecordedEvent<"v1.object.mended">,
): Promise<void> {
  await setStatus(views.sql, { ...copyOf(event), status: "ok", statusAt: event.occurredAt });
}

const deleteCopy = statement((sql, { storageLocations: t }, p) =>
  sql.delete(t).where(and(eq(t.contentAddress, p("contentAddress")), eq(t.backend, p("backend")))),
);

export async function projectObjectRemoved(
  views: ViewWriter,
  event: RecordedEvent<"v1.object.removed">,
): Promise<void> {
  await deleteCopy(views.sql, copyOf(event));
}

const setRetrieval = statement((sql, { storageLocations: t }, p) =>
  sql
    .update(t)
    .set({
      retrievalTier: p("tier"),
      restoreStatus: p("restore"),
      restoredUntil: p("restoredUntil"),
    })
    .where(and(eq(t.contentAddress, p("contentAddress")), eq(t.backend, p("backend")))),
);

export async function projectRestoreRequested(
  views: ViewWriter,
  event: RecordedEvent<"v1.object.restore_requested">,
): Promise<void> {
  const retrieval = { tier: "archive", restore: "requested", restoredUntil: null } as const;
  await setRetrieval(views.sql, { ...copyOf(event), ...retrieval });
}

export async function projectRetrievalChanged(
  views: ViewWriter,
  event: RecordedEvent<"v1.object.retrieval_changed">,
): Promise<void> {
  const { tier, restore, restored_until: restoredUntil = null } = event.payload;
  await setRetrieval(views.sql, { ...copyOf(event), tier, restore, restoredUntil });
}

function copyOf({ payload }: CopyEvent): { contentAddress: string; backend: string } {
  const { blake3, backend } = payload;
  return { contentAddress: contentAddress(Digest.of("blake3", blake3)), backend };
}

export async function projectBackendFailed(
  { sql, tables: { storageBackends } }: ViewWriter,
  event: RecordedEvent<"v1.backend.failed">,
): Promise<void> {
  const { backend, reason } = event.payload;
  const row = { status: "failed", reason, changedAt: event.occurredAt } as const;
  await sql
    .insert(storageBackends)
    .values({ backend, ...row })
    .onConflictDoUpdate({ target: storageBackends.backend, set: row });
}

export async function projectBackendRecovered(
  { sql, tables: { storageBackends } }: ViewWriter,
  event: RecordedEvent<"v1.backend.recovered">,
): Promise<void> {
  await sql
    .update(storageBackends)
    .set({ status: "ok", reason: null, changedAt: event.occurredAt })
    .where(eq(storageBackends.backend, event.payload.backend));
}
