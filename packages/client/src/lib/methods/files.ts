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
import { isReplayable, type AnswerHeaders, type RequestBody } from "../http/transport.ts";
import {
  beginDownload,
  type Download,
  type DownloadOptions,
  type ResolvedRange,
} from "./download.ts";
import type { KnownPackages } from "./known-packages.ts";
import { idempotency, type MutationOptions } from "./mutation.ts";
import { objectOf, partOf, type ObjectInfo } from "./object-headers.ts";
import { flag, pageQuery, type PageOptions } from "./paging.ts";
import { counted } from "./progress.ts";

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

export interface OpenedFile {
  readonly file: FileInfo;
  /** What `body` delivers: a half-open range of the file's bytes. */
  readonly range: ResolvedRange;
  /** `whole`: the stream fails before its end where the bytes are not the object's. */
  readonly verified: "whole" | "none";
  /** Holds a connection until it was read or left; never read, until the signal fires. */
  readonly body: AsyncIterable<Uint8Array>;
}

export interface OpenedObject extends Omit<OpenedFile, "file"> {
  readonly object: ObjectInfo;
}

/** Files in packages, manifests, archives, and the objects behind them. */
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
  /** By either digest. */
  statObject(address: ContentAddress): Promise<ObjectInfo>;
  openObject(address: ContentAddress, options?: DownloadOptions): Promise<OpenedObject>;
  /** Those whose bytes have to be sent, in the order given; any number, asked by 10,000. */
  listMissing(
    addresses: readonly ContentAddress[],
    options?: { readonly signal?: AbortSignal },
  ): Promise<ContentAddress[]>;
}

const manifestLimitBytes = 1024 * 1024 * 1024;
const addressesPerCall = 10_000;
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
    ...objectMethods(caller),
  };
}

function writeMethods({ call }: Caller) {
  return {
    async ingestFile(packageId, path, source, options = {}) {
      const { expect, signal, onProgress } = options;
      const open = counted(source, onProgress);
      const canRepeat = typeof source === "function" || isReplayable(source);
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
      const ask = async (headers: object) =>
        partOf(await call("getFile", { params, headers, signal }), what(path));
      const download = await beginDownload(caller, what(path), ask, options);
      return {
        file: fileOf(path, download.headers, wholeOf(download, what(path))),
        ...opened(download),
      };
    },
  } satisfies Partial<FileMethods>;
}

/** The answer to `HEAD`; an error has no body there, so it is asked for again by `GET`. */
async function headOf<T>(head: () => Promise<T>, get: () => Promise<unknown>): Promise<T> {
  try {
    return await head();
  } catch (error) {
    await get();
    throw error;
  }
}

function wholeOf({ headers, address, sizeBytes }: Download, what: string): ObjectInfo {
  const { sha256 } = objectOf({ headers, status: 200 }, what);
  return { address, sha256, sizeBytes };
}

function opened({ range, verified, body }: Download) {
  return { range, verified, body };
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

function objectMethods(caller: Caller) {
  const { call } = caller;
  return {
    async statObject(address) {
      const params = { address };
      const answer = await headOf(
        () => call("getObject", { params, isHead: true }),
        () => call("getObject", { params, headers: { range: "bytes=0-0" } }),
      );
      return objectOf(answer, address);
    },
    async openObject(address, options = {}) {
      const { signal } = options;
      const ask = async (headers: object) =>
        partOf(await call("getObject", { params: { address }, headers, signal }), address);
      const download = await beginDownload(caller, address, ask, options);
      return { object: wholeOf(download, address), ...opened(download) };
    },
    async listMissing(addresses, { signal } = {}) {
      const missing: ContentAddress[] = [];
      for (let from = 0; from < addresses.length; from += addressesPerCall) {
        const some = addresses.slice(from, from + addressesPerCall);
        const { json } = await call("listMissingObjects", {
          body: { addresses: some },
          signal,
          isRepeatable: true,
        });
        for (const address of json.missing) missing.push(parseContentAddress(address));
      }
      return missing;
    },
  } satisfies Partial<FileMethods>;
}
