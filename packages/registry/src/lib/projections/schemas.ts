import { createHash } from "node:crypto";

import { contentAddress, Digest } from "@store/identity";

import type { RecordedEvent } from "../events/types.ts";
import type { ViewWriter } from "./project.ts";

export async function projectSchemaRegistered(
  { sql, tables: { metadataSchemas } }: ViewWriter,
  event: RecordedEvent<"v1.schema.registered">,
): Promise<void> {
  const { name, revision, schema } = event.payload;
  await sql.insert(metadataSchemas).values({
    name,
    revision,
    schema,
    digest: contentAddress(Digest.of("sha256", createHash("sha256").update(schema).digest())),
    registeredAt: event.occurredAt,
    registeredBy: event.actor,
  });
}
