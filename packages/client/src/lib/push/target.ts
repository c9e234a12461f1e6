import type { AddedFile, Page, UploadInfo } from "@store/api";
import type { ContentAddress } from "@store/identity";

import type { FileOptions, IngestFileOptions, UploadReference } from "../methods/files.ts";
import type { AppendedUpload, AppendUploadOptions } from "../methods/uploads.ts";

/** Where files are uploaded to: a client, or a registry in the same process. */
export interface UploadTarget {
  listMissing(
    addresses: readonly ContentAddress[],
    options?: { readonly signal?: AbortSignal },
  ): Promise<ContentAddress[]>;
  addFile(
    packageId: string,
    path: string,
    object: ContentAddress | UploadReference,
    options?: FileOptions,
  ): Promise<AddedFile>;
  ingestFile(
    packageId: string,
    path: string,
    source: AsyncIterable<Uint8Array>,
    options?: IngestFileOptions,
  ): Promise<AddedFile>;
}

/** A target that takes large files in parts, and goes on where one broke off. */
export interface ResumableTarget extends UploadTarget {
  createUpload(input: {
    readonly sizeBytes: number;
    readonly expect: { readonly address: ContentAddress };
    readonly metadata: Readonly<Record<string, string>>;
  }): Promise<UploadInfo>;
  getUploadOffset(uploadId: string): Promise<number>;
  listUploads(page?: {
    readonly cursor?: string;
    readonly limit?: number;
  }): Promise<Page<UploadInfo>>;
  appendUpload(
    uploadId: string,
    offsetBytes: number,
    source: AsyncIterable<Uint8Array>,
    options?: AppendUploadOptions,
  ): Promise<AppendedUpload>;
}

export function isResumable(target: UploadTarget): target is ResumableTarget {
  return "getUploadOffset" in target;
}
