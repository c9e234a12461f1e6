import type { Row } from "@store/database";
import { and, eq } from "drizzle-orm";

import type { RecordedEvent } from "../events/types.ts";
import type { ViewWriter } from "./view-writer.ts";

/** The row of a tag that was just set. */
export function setTagRow({ payload, ...event }: RecordedEvent<"v1.tag.set">): Row<"tags"> {
  return {
    namespace: payload.namespace,
    name: payload.name,
    tag: payload.tag,
    packageId: payload.package_id,
    setAt: event.occurredAt,
    setBy: event.actor,
    setSeq: event.seq,
  };
}

export async function projectTagSet(
  { sql, tables: { tags } }: ViewWriter,
  event: RecordedEvent<"v1.tag.set">,
): Promise<void> {
  const row = setTagRow(event);
  await sql
    .insert(tags)
    .values(row)
    .onConflictDoUpdate({ target: [tags.namespace, tags.name, tags.tag], set: row });
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
