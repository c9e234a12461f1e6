import { assertFilePath, assertName, assertNamespace } from "@store/identity";
import { assertVariant, assertVersion, isStoreError, StoreError } from "@store/identity";
import type { StoreErrorContext } from "@store/identity";
import * as v from "valibot";
import {
  assertedText,
  contentAddressSchema,
  digestSchema,
  freeTextSchema,
  holdIdSchema,
  mediaTypeSchema,
  metadataSchema,
  roleSchema,
  sizeSchema,
  timestampSchema,
} from "./fields.ts";
import { manifestLimits } from "./manifest.ts";
import { ManifestRules } from "./rules.ts";

const packageSchema = v.strictObject({
  namespace: assertedText(assertNamespace),
  name: assertedText(assertName),
  version: assertedText(assertVersion),
  variant: v.exactOptional(assertedText(assertVariant)),
  created_at: timestampSchema,
  metadata: v.exactOptional(metadataSchema),
});

export const fileSchema = v.strictObject({
  path: assertedText(assertFilePath),
  size: sizeSchema,
  media_type: v.exactOptional(mediaTypeSchema),
  executable: v.exactOptional(v.literal(true, "must be true, or absent for a plain file")),
  digests: v.strictObject({ blake3: digestSchema, sha256: digestSchema }),
});

export const receiptSchema = v.strictObject({
  content_address: contentAddressSchema,
  backend: roleSchema,
  stored_at: timestampSchema,
});

const retentionSchema = v.strictObject({
  class: roleSchema,
  expires_at: v.exactOptional(timestampSchema),
  holds: v.pipe(
    v.array(holdIdSchema, "must be an array"),
    v.maxLength(manifestLimits.maxHolds, `must have at most ${manifestLimits.maxHolds} entries`),
    v.check((ids) => isStrictlyAscending(ids), "must be sorted and without repetition"),
  ),
});

const provenanceSchema = v.strictObject({
  actor: freeTextSchema,
  source: v.exactOptional(freeTextSchema),
  build: v.exactOptional(freeTextSchema),
});

const summaryFields = {
  manifest_version: v.literal(1, "must be 1: other versions are unknown"),
  package: packageSchema,
  retention_summary: retentionSchema,
  provenance: provenanceSchema,
};

/** A manifest without its two long arrays. */
export const summarySchema = v.strictObject(summaryFields);

/** Everything but the entries of the two long arrays, which are checked one at a time. */
export const outlineSchema = v.strictObject({
  ...summaryFields,
  files: v.custom<readonly unknown[]>(Array.isArray, "must be an array"),
  storage_receipts: v.custom<readonly unknown[]>(Array.isArray, "must be an array"),
});

/** Manifest v1, with the rules that hold between its entries. */
export const manifestSchema = v.pipe(
  v.strictObject({
    ...summaryFields,
    files: v.array(fileSchema, "must be an array"),
    storage_receipts: v.array(receiptSchema, "must be an array"),
  }),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    const rules = new ManifestRules();
    try {
      for (const file of dataset.value.files) rules.addFile(file);
      for (const receipt of dataset.value.storage_receipts) rules.addReceipt(receipt);
      rules.complete();
    } catch (error) {
      if (!isStoreError(error)) throw error;
      addIssue({ message: error.message });
    }
  }),
);

/**
 * Holds `value` against `schema`. The result is a copy, made of plain objects.
 *
 * @param where the field that `value` is, for the message
 * @throws {StoreError} `invalid_manifest`, naming the field and the rule
 */
export function parsePart<const Schema extends v.GenericSchema>(
  schema: Schema,
  value: unknown,
  where: string,
): v.InferOutput<Schema> {
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const rule = ruleText(issue);
  // The rules of other packages are sentences of their own.
  const colon = /^[A-Z]/.test(rule) ? ":" : "";
  throw new StoreError(
    "invalid_manifest",
    `The manifest is not valid: ${fieldText(where, issue)}${colon} ${rule}.`,
    { context: pathContext(value) },
  );
}

/** A file is named by its path, as far as it has one. */
function pathContext(value: unknown): StoreErrorContext {
  if (typeof value !== "object" || value === null || !("path" in value)) return {};
  return typeof value.path === "string" ? { path: value.path.slice(0, 1024) } : {};
}

function fieldText(where: string, issue: v.BaseIssue<unknown>): string {
  let text = where;
  for (const { key } of issue.path ?? []) {
    text += typeof key === "number" ? `[${key}]` : `${text === "" ? "" : "."}${String(key)}`;
  }
  return text === "" ? "the manifest" : text;
}

function ruleText(issue: v.BaseIssue<unknown>): string {
  if (issue.type !== "strict_object") return issue.message.replace(/\.$/, "");
  if (issue.expected === "never") return "is a field that manifest v1 does not have; remove it";
  return issue.expected === "Object" ? "must be a map" : "is missing";
}

function isStrictlyAscending(texts: readonly string[]): boolean {
  return texts.every((text, index) => index === 0 || (texts[index - 1] ?? "") < text);
}
