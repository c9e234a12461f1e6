import { decodeUpload, mapPage, type Page, type UploadInfo } from "@store/api";
import { parseContentAddress, type ContentAddress } from "@store/identity";

import type { Caller } from "../http/caller.ts";
import { wrongAnswer } from "../http/failures.ts";
import type { AnswerHeaders, RequestBody } from "../http/transport.ts";
import type { ExpectedContent } from "./files.ts";
import { pageQuery, type PageOptions } from "./paging.ts";
import { counted } from "./progress.ts";

export interface CreateUploadInput {
  /** The size in bytes, where it is known already; an append says it later. */
  readonly sizeBytes?: number;
  /** Claims about the whole, checked at the end: false ones end the upload. */
  readonly expect?: Pick<ExpectedContent, "address">;
  /** Texts by name that are kept with the upload. */
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface AppendUploadOptions {
  readonly signal?: AbortSignal;
  /** The size of the whole, of an upload that was begun without it. */
  readonly sizeBytes?: number;
  /** Called with the bytes of this append that were sent so far. */
  readonly onProgress?: (sizeBytes: number) => void;
}

/** What an append has come to. */
export interface AppendedUpload {
  /** How many bytes are durable. */
  readonly offsetBytes: number;
  /** The object, once all bytes are there. */
  readonly address?: ContentAddress;
}

/** Resumable uploads: the tus protocol, version 1.0. */
export interface UploadMethods {
  /** Begins an upload. One that nobody learns of, since its answer was lost, expires. */
  createUpload(input?: CreateUploadInput): Promise<UploadInfo>;
  getUpload(uploadId: string): Promise<UploadInfo>;
  /** Says how many bytes are durable, after ending an append that is under way. */
  getUploadOffset(uploadId: string): Promise<number>;
  /** One's own, open and complete, oldest first. */
  listUploads(page?: PageOptions): Promise<Page<UploadInfo>>;
  /**
   * Sends bytes at the upload's offset. Never sent again by itself: what arrived before a failure
   * is kept, and the next append begins there. See `uploadFiles` for what does that.
   */
  appendUpload(
    uploadId: string,
    offsetBytes: number,
    source: RequestBody,
    options?: AppendUploadOptions,
  ): Promise<AppendedUpload>;
  cancelUpload(uploadId: string): Promise<void>;
}

const version = { "tus-resumable": "1.0.0" } as const;
const mediaType = "application/offset+octet-stream";

export function uploadMethods({ call }: Caller): UploadMethods {
  const getUpload = async (uploadId: string) => {
    const { json } = await call("getUpload", { params: { uploadId } });
    return decodeUpload(json);
  };
  return {
    getUpload,
    async createUpload({ sizeBytes, expect, metadata = {} } = {}) {
      const named =
        expect?.address === undefined ? metadata : { ...metadata, expect: expect.address };
      const { headers } = await call("createUpload", {
        headers: {
          ...version,
          ...(sizeBytes === undefined
            ? { "upload-defer-length": "1" }
            : { "upload-length": String(sizeBytes) }),
          "upload-metadata": metadataHeader(named),
        },
        isRepeatable: true,
      });
      return getUpload(idIn(headers));
    },
    async getUploadOffset(uploadId) {
      const { headers } = await call("headUpload", { params: { uploadId }, headers: version });
      return offsetIn(headers);
    },
    async listUploads(page = {}) {
      const { json } = await call("listUploads", { query: pageQuery(page) });
      return mapPage(json, decodeUpload);
    },
    async appendUpload(uploadId, offsetBytes, source, { signal, sizeBytes, onProgress } = {}) {
      const { headers } = await call("appendUpload", {
        params: { uploadId },
        headers: {
          ...version,
          "content-type": mediaType,
          "upload-offset": String(offsetBytes),
          "upload-length": sizeBytes === undefined ? undefined : String(sizeBytes),
        },
        body: counted(source, onProgress)(),
        signal,
        isRepeatable: false,
      });
      const address = headers.get("store-object");
      const made = address === null ? {} : { address: parseContentAddress(address) };
      return { offsetBytes: offsetIn(headers), ...made };
    },
    async cancelUpload(uploadId) {
      await call("cancelUpload", {
        params: { uploadId },
        headers: version,
        doneBefore: "upload_not_found",
      });
    },
  };
}

/** tus: keys with base64 of their UTF-8, separated by commas. */
function metadataHeader(metadata: Readonly<Record<string, string>>): string | undefined {
  const pairs = Object.entries(metadata).map(([key, value]) => `${key} ${base64(value)}`);
  return pairs.length === 0 ? undefined : pairs.join(",");
}

function base64(text: string): string {
  const bytes = new TextEncoder().encode(text);
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}

function idIn(headers: AnswerHeaders): string {
  const id = headers.get("location")?.split("?")[0]?.split("/").at(-1);
  if (id === undefined || id === "") throw wrongAnswer("creating an upload", "it has no location");
  return decodeURIComponent(id);
}

function offsetIn(headers: AnswerHeaders): number {
  const text = headers.get("upload-offset") ?? "";
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw wrongAnswer("an upload", "the header upload-offset is missing or wrong");
}
