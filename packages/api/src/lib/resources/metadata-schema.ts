import { parseContentAddress, type ContentAddress } from "@store/identity";
import * as v from "valibot";

import * as field from "../fields.ts";
import type { JsonObject } from "./package.ts";

const summaryFields = {
  name: field.name,
  revision: field.count,
  digest: field.contentAddress,
  registered_at: field.time,
  registered_by: v.string(),
};

/** A revision of a metadata schema, without the schema itself. */
export const schemaSummarySchema = v.object(summaryFields);
export type SchemaSummaryJson = v.InferOutput<typeof schemaSummarySchema>;

/** A revision of a metadata schema. */
export const schemaSchema = v.object({ ...summaryFields, schema: field.jsonObject });
export type SchemaJson = v.InferOutput<typeof schemaSchema>;

export const registerSchemaSchema = v.strictObject({ name: field.name, schema: field.jsonObject });

/** A revision of a metadata schema, without the schema itself. */
export interface MetadataSchemaSummary {
  readonly name: string;
  readonly revision: number;
  /** SHA-256 of the schema's canonical JSON. */
  readonly digest: ContentAddress;
  readonly registeredAt: string;
  readonly registeredBy: string;
}

export interface MetadataSchemaInfo extends MetadataSchemaSummary {
  readonly schema: JsonObject;
}

export function encodeSchemaSummary(schema: MetadataSchemaSummary): SchemaSummaryJson {
  return {
    name: schema.name,
    revision: schema.revision,
    digest: schema.digest,
    registered_at: schema.registeredAt,
    registered_by: schema.registeredBy,
  };
}

export function encodeSchema(schema: MetadataSchemaInfo): SchemaJson {
  return { ...encodeSchemaSummary(schema), schema: schema.schema };
}

export function decodeSchemaSummary(json: SchemaSummaryJson): MetadataSchemaSummary {
  return {
    name: json.name,
    revision: json.revision,
    digest: parseContentAddress(json.digest),
    registeredAt: json.registered_at,
    registeredBy: json.registered_by,
  };
}

export function decodeSchema(json: SchemaJson): MetadataSchemaInfo {
  // It came as JSON, and so is JSON.
  return { ...decodeSchemaSummary(json), schema: json.schema as JsonObject };
}
