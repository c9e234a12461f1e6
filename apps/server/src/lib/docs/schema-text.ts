// Spaces and lines count here, which a formatter would not see in what is called `text`.
import { html as text, type Html } from "./html.ts";

/** A JSON Schema, as far as the OpenAPI document uses it. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly type?: string;
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: JsonSchema | boolean;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly maxItems?: number;
}

/** The shape of a JSON document as one would write it down: members, types, and notes beside them. */
export function schemaText(schema: JsonSchema): Html {
  return text`<pre><code>${shape(schema, "")}</code></pre>`;
}

function shape(schema: JsonSchema, indent: string): Html {
  if (schema.properties !== undefined) return objectShape(schema, schema.properties, indent);
  if (schema.anyOf?.some(({ properties }) => properties !== undefined) === true) {
    const shapes = schema.anyOf.map((one) => shape(one, indent));
    return text`${shapes.map((one, at) => (at === 0 ? one : text` | ${one}`))}`;
  }
  if (schema.type === "array") return text`[${shape(schema.items ?? {}, indent)}, …]`;
  const { additionalProperties: others } = schema;
  if (schema.type === "object" && typeof others === "object" && Object.keys(others).length > 0) {
    const inner = `${indent}  `;
    return text`{\n${inner}[name]: ${shape(others, inner)}\n${indent}}`;
  }
  return text`${typeText(schema)}`;
}

function objectShape(
  { required = [] }: JsonSchema,
  properties: Readonly<Record<string, JsonSchema>>,
  indent: string,
): Html {
  const inner = `${indent}  `;
  const members = Object.entries(properties).map(([name, member]) => {
    const mark = required.includes(name) ? "" : "?";
    const note = noteOf(member);
    const beside = note === "" ? text`` : text`<span class="note">  // ${note}</span>`;
    return text`${inner}${name}${mark}: ${shape(member, inner)},${beside}\n`;
  });
  return text`{\n${members}${indent}}`;
}

/** The type of a value, in a few words. */
export function typeText(schema: JsonSchema): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((one) => JSON.stringify(one)).join(" | ");
  if (schema.anyOf !== undefined) return schema.anyOf.map((one) => typeText(one)).join(" | ");
  return schema.type ?? "any";
}

function noteOf(schema: JsonSchema): string {
  const { description, items } = schema;
  const limits = limitsText(schema);
  const about = description ?? (items?.properties === undefined ? items?.description : undefined);
  return [about, limits].filter((part) => part !== undefined && part !== "").join(" ");
}

/** What a value must be beside its type. */
export function limitsText(schema: JsonSchema): string {
  const { minimum, maximum, minLength, maxLength, maxItems } = schema;
  const limits = [
    minimum === undefined || minimum === 0 ? undefined : `at least ${minimum}`,
    maximum === undefined ? undefined : `at most ${maximum}`,
    minLength === undefined ? undefined : `at least ${minLength} characters`,
    maxLength === undefined ? undefined : `at most ${maxLength} characters`,
    maxItems === undefined ? undefined : `at most ${maxItems} items`,
  ];
  return limits.filter((limit) => limit !== undefined).join(", ");
}
