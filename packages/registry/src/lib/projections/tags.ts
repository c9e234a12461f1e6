import { and, eq } from "drizzle-orm";

import type { RecordedEvent } from "../events/types.ts";
import type { ViewWriter } from "./project.ts";

export async function projectTagSet(
  { sql, tables: { tags } }: ViewWriter,
  event: RecordedEvent<"v1.tag.set">,
): Promise<void> {
  const { namespace, name, tag, package_id: packageId } = event.payload;
  const target = {
    packageId,
    setAt: event.occurredAt,
    setBy: event.actor,
    setSeq: event.seq,
  };
  await sql
    .insert(tags)
    .values({ namespace, name, tag, ...target })
    .onConflictDoUpdate({ target: [tags.namespace, tags.name, tags.tag], set: target });
}

export async function projectTagRemoved(
  { sql, tables: { tags } }: ViewWriter,
  event: RecordedEvent<"v1.tag.removed">,
): Promise<void> {
  const { namespace, name, tag } = event.payload;
  await sql
    .delete(tags)
    .where(and(eq(tags.namespace, namespace), eq(tags.name, name), eq(tags.tag, tag)));
}
