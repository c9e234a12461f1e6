import { schemaSubject } from "../events/subjects.ts";
import { registeredSchemaRow } from "../projections/schemas.ts";
import { schemaInfo } from "../queries/rows.ts";
import { findSchema } from "../queries/schemas.ts";
import type { MetadataSchemaInfo } from "../types.ts";
import { changed, unchanged, type Decide } from "./decision.ts";

/** Registers the next revision of a schema; the bytes of the newest one make no event. */
export function registerMetadataSchema(command: {
  readonly name: string;
  /** The schema's canonical JSON, known to compile. */
  readonly schema: Uint8Array;
}): Decide<MetadataSchemaInfo> {
  return async ({ sql, tables }) => {
    const { name, schema } = command;
    const newest = await findSchema(sql, tables, name);
    if (newest !== undefined && Buffer.compare(newest.schema, schema) === 0) {
      return unchanged(schemaInfo(newest));
    }
    return changed(
      {
        type: "v1.schema.registered",
        subject: schemaSubject(name),
        payload: { name, revision: (newest?.revision ?? 0) + 1, schema },
      },
      (event) => schemaInfo(registeredSchemaRow(event)),
    );
  };
}
