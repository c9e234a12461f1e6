import { parseContentAddress, type ContentAddress } from "@store/identity";
import * as v from "valibot";

import * as field from "../fields.ts";
import { present } from "../present.ts";

/** A resumable upload; once complete, it is an object that can be added to a package. */
export const uploadSchema = v.object({
  id: field.id,
  status: v.picklist(["open", "complete"]),
  offset: field.count,
  size: v.optional(field.count),
  metadata: v.record(v.string(), v.string()),
  content_address: v.optional(field.contentAddress),
  sha256: v.optional(field.contentAddress),
  created_at: field.time,
  expires_at: field.time,
});
export type UploadJson = v.InferOutput<typeof uploadSchema>;

export interface UploadInfo {
  readonly id: string;
  readonly status: "open" | "complete";
  /** How many bytes are durable. */
  readonly offsetBytes: number;
  readonly sizeBytes?: number;
  readonly metadata: Readonly<Record<string, string>>;
  readonly address?: ContentAddress;
  readonly sha256?: ContentAddress;
  readonly createdAt: string;
  readonly expiresAt: string;
}

export function encodeUpload(upload: UploadInfo): UploadJson {
  return {
    id: upload.id,
    status: upload.status,
    offset: upload.offsetBytes,
    size: upload.sizeBytes,
    metadata: { ...upload.metadata },
    content_address: upload.address,
    sha256: upload.sha256,
    created_at: upload.createdAt,
    expires_at: upload.expiresAt,
  };
}

export function decodeUpload(json: UploadJson): UploadInfo {
  const address = (text: string | undefined) =>
    text === undefined ? undefined : parseContentAddress(text);
  return present({
    id: json.id,
    status: json.status,
    offsetBytes: json.offset,
    sizeBytes: json.size,
    metadata: json.metadata,
    address: address(json.content_address),
    sha256: address(json.sha256),
    createdAt: json.created_at,
    expiresAt: json.expires_at,
  });
}
