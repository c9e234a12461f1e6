import { parseContentAddress, type ContentAddress } from "@store/identity";
import * as v from "valibot";

import * as field from "../fields.ts";
import { present } from "../present.ts";

const fileFields = {
  path: field.filePath,
  size: field.count,
  executable: v.boolean(),
  media_type: v.optional(v.string()),
  content_address: field.contentAddress,
  sha256: field.contentAddress,
};

/** A file of a package, and the object that it points at. */
export const fileSchema = v.object(fileFields);
export type FileJson = v.InferOutput<typeof fileSchema>;

/** A file that was added. */
export const addedFileSchema = v.object({ ...fileFields, deduplicated: v.boolean() });
export type AddedFileJson = v.InferOutput<typeof addedFileSchema>;

/** A file of a package, and the object that it points at. */
export interface FileInfo {
  readonly path: string;
  readonly sizeBytes: number;
  readonly mediaType?: string;
  readonly executable: boolean;
  /** The object: `blake3:<64 hex>`. */
  readonly address: ContentAddress;
  /** The same bytes by their other digest: `sha256:<64 hex>`. */
  readonly sha256: ContentAddress;
}

export interface AddedFile extends FileInfo {
  /** Whether the object was already stored, so that nothing was written. */
  readonly deduplicated: boolean;
}

export const missingObjectsSchema = v.strictObject({
  addresses: v.pipe(v.array(field.contentAddress), v.maxLength(10_000)),
});

export const missingAnswerSchema = v.object({ missing: v.array(field.contentAddress) });

export function encodeFile(file: FileInfo): FileJson {
  return {
    path: file.path,
    size: file.sizeBytes,
    executable: file.executable,
    media_type: file.mediaType,
    content_address: file.address,
    sha256: file.sha256,
  };
}

export function encodeAddedFile(file: AddedFile): AddedFileJson {
  return { ...encodeFile(file), deduplicated: file.deduplicated };
}

export function decodeFile(json: FileJson): FileInfo {
  return present({
    path: json.path,
    sizeBytes: json.size,
    mediaType: json.media_type,
    executable: json.executable,
    address: parseContentAddress(json.content_address),
    sha256: parseContentAddress(json.sha256),
  });
}

export function decodeAddedFile(json: AddedFileJson): AddedFile {
  return { ...decodeFile(json), deduplicated: json.deduplicated };
}
