import { desc, eq } from "drizzle-orm";

import type { Decide } from "./run.ts";
import { getMetadataSchema } from "../queries/schemas.ts";
import { schemaSubject } from "../events/subjects.ts";
import type { MetadataSchemaInfo } from "../types.ts";

/** Registers the next revision of a schema; the bytes of the newest one make no event. */
export function registerMetadataSchema(command: {
  readonly name: string;
  /** The schema's canonical JSON, known to compile. */
  readonly schema: Uint8Array;
}): Decide<MetadataSchemaInfo> {
  return async ({ sql, tables }) => {
    const { metadataSchemas: t } = tables;
    const [newest] = await sql
      .select()
      .from(t)
      .where(eq(t.name, command.name))
      .orderBy(desc(t.revision))
      .limit(1);
    const unchanged = newest !== undefined && Buffer.compare(newest.schema, command.schema) === 0;
    const revision = unchanged ? newest.revision : (newest?.revision ?? 0) + 1;
    return {
      events: unchanged
        ? []
        : [
            {
              type: "v1.schema.registered",
              subject: schemaSubject(command.name),
              payload: { name: command.name, revision, schema: command.schema },
            },
          ],
      answer: (view) => getMetadataSchema(view.sql, view.tables, `${command.name}@${revision}`),
    };
  };
}
