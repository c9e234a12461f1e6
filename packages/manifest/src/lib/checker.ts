import type { ManifestFile, ManifestReceipt, ManifestSummary } from "./manifest.ts";
import { ManifestRules } from "./rules.ts";
import { fileSchema, outlineSchema, parsePart, receiptSchema } from "./schema.ts";

/** A manifest whose long arrays have not been looked into yet. */
export type ManifestOutline = ManifestSummary & {
  readonly files: readonly unknown[];
  readonly storage_receipts: readonly unknown[];
};

/**
 * Checks a manifest entry by entry, in the order of {@link ManifestRules}. It accepts what
 * `manifestSchema` accepts at once, and answers with copies, so that what was checked is what is
 * used, whatever a caller does to its objects meanwhile.
 */
export class ManifestChecker {
  readonly #rules = new ManifestRules();

  outline(value: unknown): ManifestOutline {
    return parsePart(outlineSchema, value, "");
  }

  file(value: unknown, index: number): ManifestFile {
    const file = parsePart(fileSchema, value, `files[${index}]`);
    this.#rules.addFile(file);
    return file;
  }

  receipt(value: unknown, index: number): ManifestReceipt {
    const receipt = parsePart(receiptSchema, value, `storage_receipts[${index}]`);
    this.#rules.addReceipt(receipt);
    return receipt;
  }

  complete(): void {
    this.#rules.complete();
  }
}
