import { createHash } from "node:crypto";

import type { Row } from "@store/database";
import { contentAddress, Digest } from "@store/identity";

import type { RecordedEvent } from "../events/types.ts";
import type { ViewWriter } from "./view-writer.ts";

/** The row of a schema that was just registered. */
export function registeredSchemaRow({
  payload,
  ...event
}: RecordedEvent<"v1.schema.registered">): Row<"metadataSchemas"> {
  const sha256 = createHash("sha256").update(payload.schema).digest();
  return {
    name: payload.name,
    revision: payload.revision,
    schema: payload.schema,
    digest: contentAddress(Digest.of("sha256", sha256)),
    registeredAt: event.occurredAt,
    registeredBy: event.actor,
  };
}

export async function projectSchemaRegistered(
  { sql, tables: { metadataSchemas } }: ViewWriter,
  event: RecordedEvent<"v1.schema.registered">,
): Promise<void> {
  await sql.insert(metadataSchemas).values(registeredSchemaRow(event));
}
