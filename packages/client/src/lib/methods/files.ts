import {
  decodeAddedFile,
  decodeFile,
  mapPage,
  present,
  type AddedFile,
  type FileInfo,
  type Page,
} from "@store/api";
import {
  contentAddress,
  parseContentAddress,
  StoreError,
  type ContentAddress,
} from "@store/identity";
import { manifestDigest } from "@store/manifest";

import type { Caller } from "../http/caller.ts";
import { readAll } from "../http/streams.ts";
import {
  isReplayable,
  isRestartable,
  type AnswerHeaders,
  type RequestBody,
} from "../http/transport.ts";
import { beginDownload, type AskForPart, type DownloadOptions } from "./download.ts";
import type { KnownPackages } from "./known-packages.ts";
import { idempotency, type MutationOptions } from "./mutation.ts";
import { objectOf, partOf, type ObjectInfo } from "./object-headers.ts";
import { headOf, openedOf, wholeOf, type OpenedBytes } from "./objects.ts";
import { flag, pageQuery, type PageOptions } from "./paging.ts";
import { counted } from "./progress.ts";
import { askForBytes } from "./redirected-bytes.ts";

/** What the caller claims about bytes; each claim is checked and a false one refused. */
export interface ExpectedContent {
  /** `blake3:<64 hex>` */
  readonly address?: ContentAddress;
  /** `sha256:<64 hex>` */
  readonly sha256?: ContentAddress;
  readonly sizeBytes?: number;
}

export interface FileOptions extends MutationOptions {
  readonly mediaType?: string;
  readonly executable?: boolean;
  /** Replaces the file at this path instead of refusing; absent is fine. */
  readonly replace?: boolean;
}

export interface IngestFileOptions extends FileOptions {
  readonly expect?: ExpectedContent;
  readonly signal?: AbortSignal;
  /** Called with the bytes sent so far; after a failed attempt it begins again. */
  readonly onProgress?: (sizeBytes: number) => void;
}

/** Names a complete upload of one's own. */
export interface UploadReference {
  readonly upload: string;
}

export interface OpenedFile extends OpenedBytes {
  readonly file: FileInfo;
}

/** Files in packages, manifests and archives. */
export interface FileMethods {
  /**
   * Sends a file. What can be given again (bytes, a `Blob`, or a function that gives the stream
   * anew) is sent again after a failure for the moment; a stream is not. In a browser give a `Blob`:
   * few send streams.
   */
  ingestFile(
    packageId: string,
    path: string,
    source: RequestBody | (() => RequestBody),
    options?: IngestFileOptions,
  ): Promise<AddedFile>;
  /** Adds what the server has: an object that the caller may read, or a complete upload. */
  addFile(
    packageId: string,
    path: string,
    object: ContentAddress | UploadReference,
    options?: FileOptions,
  ): Promise<AddedFile>;
  removeFile(packageId: string, path: string, options?: MutationOptions): Promise<void>;
  /** In bytewise order of path. */
  listFiles(packageId: string, page?: PageOptions): Promise<Page<FileInfo>>;
  statFile(packageId: string, path: string): Promise<FileInfo>;
  /** A whole read is verified while it streams; one that breaks off is resumed where it stopped. */
  getFile(packageId: string, path: string, options?: DownloadOptions): Promise<OpenedFile>;
  /** The manifest; as `cbor` it has the package's digest, or this throws `object_corrupt`. */
  getManifestBytes(packageId: string, form: "cbor" | "jcs"): Promise<Uint8Array>;
  /** A finalized package as one archive, the same bytes each time. Not resumed. */
  getArchive(
    packageId: string,
    format: "tar" | "tar.gz" | "zip",
    options?: { readonly signal?: AbortSignal },
  ): Promise<AsyncIterable<Uint8Array>>;
}

const manifestLimitBytes = 1024 * 1024 * 1024;
const archiveRoutes = {
  tar: "getTarArchive",
  "tar.gz": "getTarGzArchive",
  zip: "getZipArchive",
} as const;

export function fileMethods(caller: Caller, known: KnownPackages): FileMethods {
  return {
    ...writeMethods(caller),
    ...readMethods(caller),
    ...wholeMethods(caller, known),
  };
}

function writeMethods({ call }: Caller) {
  return {
    async ingestFile(packageId, path, source, options = {}) {
      const { expect, signal, onProgress } = options;
      const open = counted(source, onProgress);
      const canRepeat =
        typeof source === "function" || isRestartable(source) || isReplayable(source);
      const { json } = await call("putFile", {
        params: { packageId, path },
        query: { expect: expect?.address, ...fileQuery(options) },
        headers: {
          "content-type": options.mediaType ?? "application/octet-stream",
          "content-length": expect?.sizeBytes === undefined ? undefined : String(expect.sizeBytes),
          "repr-digest": expect?.sha256 === undefined ? undefined : reprDigest(expect.sha256),
          ...(canRepeat || options.idempotencyKey !== undefined ? idempotency(options) : {}),
        },
        body: canRepeat ? open : open(),
        signal,
      });
      return decodeAddedFile(json);
    },
    async addFile(packageId, path, object, options = {}) {
      const named =
        typeof object === "string" ? { "store-object": object } : { "store-upload": object.upload };
      const { json } = await call("putFile", {
        params: { packageId, path },
        query: fileQuery(options),
        headers: { ...named, "content-type": options.mediaType, ...idempotency(options) },
      });
      return decodeAddedFile(json);
    },
    async removeFile(packageId, path, options = {}) {
      await call("deleteFile", {
        params: { packageId, path },
        headers: idempotency(options),
        doneBefore: "file_not_found",
      });
    },
  } satisfies Partial<FileMethods>;
}

function fileQuery({ replace, executable }: FileOptions) {
  return { replace: flag(replace), executable: flag(executable) };
}

function reprDigest(sha256: ContentAddress): string {
  const bytes = sha256.slice("sha256:".length).match(/../g) ?? [];
  return `sha-256=:${btoa(bytes.map((pair) => String.fromCharCode(parseInt(pair, 16))).join(""))}:`;
}

function readMethods(caller: Caller) {
  const { call } = caller;
  const what = (path: string): string => `the file ${path}`;
  return {
    async listFiles(packageId, page = {}) {
      const { json } = await call("listFiles", { params: { packageId }, query: pageQuery(page) });
      return mapPage(json, decodeFile);
    },
    async statFile(packageId, path) {
      const params = { packageId, path };
      const answer = await headOf(
        () => call("getFile", { params, isHead: true }),
        () => call("getFile", { params, headers: { range: "bytes=0-0" } }),
      );
      return fileOf(path, answer.headers, objectOf(answer, what(path)));
    },
    async getFile(packageId, path, options = {}) {
      const { signal } = options;
      const params = { packageId, path };
      const name = what(path);
      const ask: AskForPart = async (headers) => {
        const bytes = await askForBytes(caller, {
          what: name,
          headers,
          signal,
          ask: (given) => call("getFile", { params, headers: given, signal }),
        });
        return partOf(bytes, name);
      };
      const download = await beginDownload(caller, name, ask, options);
      return {
        file: fileOf(path, download.headers, wholeOf(download, name)),
        ...openedOf(download),
      };
    },
  } satisfies Partial<FileMethods>;
}

function fileOf(path: string, headers: AnswerHeaders, object: ObjectInfo): FileInfo {
  const sent = headers.get("content-type");
  const mediaType =
    headers.get("store-media-type") ?? (sent === "application/octet-stream" ? null : sent);
  const executable = headers.get("store-executable") === "true";
  return present({ path, ...object, mediaType: mediaType ?? undefined, executable });
}

function wholeMethods({ call }: Caller, known: KnownPackages) {
  return {
    async getManifestBytes(packageId, form) {
      const accept = form === "cbor" ? "application/cbor" : "application/json";
      const params = { packageId };
      const { bytes } = await call("getManifest", { params, headers: { accept } });
      const manifest = await readAll(bytes, manifestLimitBytes);
      if (form === "jcs") return manifest;
      const expected = known.find(packageId)?.manifestDigest ?? (await digestFrom(packageId));
      const actual = contentAddress(await manifestDigest(manifest));
      if (actual === expected) return manifest;
      throw new StoreError("object_corrupt", "The manifest does not have the package's digest.", {
        context: { expected: expected ?? null, actual },
      });
    },
    async getArchive(packageId, format, { signal } = {}) {
      const { bytes } = await call(archiveRoutes[format], { params: { packageId }, signal });
      return bytes;
    },
  } satisfies Partial<FileMethods>;

  async function digestFrom(packageId: string): Promise<ContentAddress | undefined> {
    const { json } = await call("getPackage", { params: { packageId } });
    const { manifest_digest } = json;
    return manifest_digest === undefined ? undefined : parseContentAddress(manifest_digest);
  }
}
