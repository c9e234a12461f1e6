import { ByteSink } from "./byte-sink.ts";
import { ManifestChecker } from "./checker.ts";
import type { Manifest, ManifestFile, ManifestReceipt, ManifestSummary } from "./manifest.ts";
import { Pacer } from "./pacer.ts";

/** How one encoding writes the parts of a manifest. */
export interface Writing {
  readonly limitBytes: number;
  /** All fields in the order of the encoding; `files` before `storage_receipts`. */
  readonly fields: readonly (keyof Manifest)[];
  /** What stands before the value of a field, and after the last one. */
  before(field: keyof Manifest): Uint8Array;
  readonly end: Uint8Array;
  arrayStart(length: number): Uint8Array;
  readonly separator: Uint8Array;
  readonly arrayEnd: Uint8Array;
  file(file: ManifestFile): Uint8Array;
  receipt(receipt: ManifestReceipt): Uint8Array;
  part(summary: ManifestSummary, field: keyof ManifestSummary): Uint8Array;
}

/**
 * Checks and writes a manifest in slices. What is written of an entry is the copy that was
 * checked, so that the result is valid whatever becomes of the caller's objects meanwhile.
 */
export async function writeManifest(value: unknown, writing: Writing): Promise<Uint8Array> {
  const pacer = new Pacer();
  const checker = new ManifestChecker();
  const sink = new ByteSink(writing.limitBytes);
  const outline = checker.outline(value);
  if (pacer.isDue()) await pacer.pause();

  const writeEntries = async (
    entries: readonly unknown[],
    encodeEntry: (entry: unknown, index: number) => Uint8Array,
  ): Promise<void> => {
    const { length } = entries;
    sink.push(writing.arrayStart(length));
    for (let index = 0; index < length; index += 1) {
      if (index > 0) sink.push(writing.separator);
      sink.push(encodeEntry(entries[index], index));
      if (pacer.isDue()) await pacer.pause();
    }
    sink.push(writing.arrayEnd);
  };

  for (const field of writing.fields) {
    sink.push(writing.before(field));
    if (field === "files") {
      await writeEntries(outline.files, (entry, index) => writing.file(checker.file(entry, index)));
    } else if (field === "storage_receipts") {
      await writeEntries(outline.storage_receipts, (entry, index) =>
        writing.receipt(checker.receipt(entry, index)),
      );
    } else {
      sink.push(writing.part(outline, field));
      if (pacer.isDue()) await pacer.pause();
    }
  }
  checker.complete();
  sink.push(writing.end);
  return sink.bytes(pacer);
}
