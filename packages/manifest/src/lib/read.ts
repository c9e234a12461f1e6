import { StoreError } from "@store/identity";
import { ManifestChecker } from "./checker.ts";
import type { Cursor, SkippingCursor } from "./cursor.ts";
import type { Manifest, ManifestFile, ManifestReceipt, ManifestSummary } from "./manifest.ts";
import { Pacer } from "./pacer.ts";
import { parsePart, summarySchema } from "./schema.ts";

/** How one encoding shows the parts of a manifest; what it makes of them is checked afterwards. */
export interface Reading {
  file(item: unknown, index: number): unknown;
  receipt(item: unknown, index: number): unknown;
  part(field: string, item: unknown): unknown;
}

const knownFields: ReadonlySet<string> = new Set<keyof Manifest>([
  "files",
  "manifest_version",
  "package",
  "provenance",
  "retention_summary",
  "storage_receipts",
]);

/**
 * Reads a manifest in slices. Each entry is checked as soon as it is read, so that an input
 * which is no manifest costs no more than its first wrong entry.
 *
 * Both encodings bring `files` before `storage_receipts`, as the rules need it.
 */
export async function readManifest(cursor: Cursor, reading: Reading): Promise<Manifest> {
  const pacer = new Pacer();
  const checker = new ManifestChecker();
  const files: ManifestFile[] = [];
  const receipts: ManifestReceipt[] = [];
  const fields: { [field: string]: unknown } = {};

  const readEntries = async (readEntry: (item: unknown) => void): Promise<void> => {
    while (cursor.hasElement()) {
      readEntry(cursor.item());
      if (pacer.isDue()) await pacer.pause();
    }
  };

  enterDocument(cursor);
  for (let field = cursor.nextKey(); field !== undefined; field = cursor.nextKey()) {
    if (!knownFields.has(field)) throw unknownField(field);
    if (field === "files" && cursor.enterArray()) {
      await readEntries((item) => {
        files.push(checker.file(reading.file(item, files.length), files.length));
      });
      fields[field] = files;
    } else if (field === "storage_receipts" && cursor.enterArray()) {
      await readEntries((item) => {
        receipts.push(checker.receipt(reading.receipt(item, receipts.length), receipts.length));
      });
      fields[field] = receipts;
    } else {
      const item: unknown = cursor.item();
      if (pacer.isDue()) await pacer.pause();
      fields[field] = reading.part(field, item);
    }
    if (pacer.isDue()) await pacer.pause();
  }
  cursor.end();
  const outline = checker.outline(fields);
  checker.complete();
  return { ...outline, files, storage_receipts: receipts };
}

/** Reads all but the two long arrays, which are passed over. */
export function readSummary(cursor: SkippingCursor): ManifestSummary {
  const fields: { [field: string]: unknown } = {};
  const passed = new Set<string>();
  enterDocument(cursor);
  for (let field = cursor.nextKey(); field !== undefined; field = cursor.nextKey()) {
    if (!knownFields.has(field)) throw unknownField(field);
    if (field === "files" || field === "storage_receipts") {
      cursor.skip();
      passed.add(field);
    } else {
      fields[field] = cursor.item();
    }
  }
  cursor.end();
  if (passed.size < 2) {
    const missing = passed.has("files") ? "storage_receipts" : "files";
    throw new StoreError("invalid_manifest", `The manifest is not valid: ${missing} is missing.`);
  }
  return parsePart(summarySchema, fields, "");
}

function enterDocument(cursor: Cursor): void {
  if (cursor.enterMap()) return;
  // Whether it is another value or none at all is the cursor's to say.
  cursor.item();
  cursor.end();
  throw new StoreError("invalid_manifest", "The manifest is not valid: it must be a map.");
}

function unknownField(field: string): StoreError {
  const name = field.length > 80 ? `${field.slice(0, 80)}…` : field;
  return new StoreError(
    "invalid_manifest",
    `The manifest is not valid: ${JSON.stringify(name)} is a field that manifest v1 does not` +
      " have; remove it.",
  );
}
