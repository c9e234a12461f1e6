import { encodeUpload, mapPage, present, type Routes } from "@store/api";
import { isStoreError, StoreError } from "@store/identity";
import type { AppendUploadOptions, Registry, UploadInfo } from "@store/registry";

import type { Exchange, Handlers, Reply } from "../http/handler.ts";
import { RefusedRequest } from "../http/refused-request.ts";
import { hasBody } from "../http/request-body.ts";
import { checksumAlgorithms, parseUploadChecksum } from "../tus/upload-checksum.ts";
import {
  assertTusVersion,
  byteCount,
  describingHeaders,
  tusVersion,
  uploadHeaders,
} from "../tus/upload-headers.ts";
import { expectedUpload, parseUploadMetadata } from "../tus/upload-metadata.ts";

type UploadRouteNames =
  | "getUploadOptions"
  | "createUpload"
  | "listUploads"
  | "getUpload"
  | "headUpload"
  | "appendUpload"
  | "cancelUpload";

const extensions = [
  "creation",
  "creation-with-upload",
  "creation-defer-length",
  "termination",
  "checksum",
  "expiration",
].join(",");

export interface UploadHandlerOptions {
  /** The largest upload, in bytes. */
  readonly objectBytes: number;
}

/** Resumable uploads by the tus protocol 1.0 (https://tus.io/protocols/resumable-upload). */
export function uploadHandlers({ objectBytes }: UploadHandlerOptions): Handlers<UploadRouteNames> {
  return {
    getUploadOptions: async () => ({
      status: 204,
      headers: {
        "tus-resumable": tusVersion,
        "tus-version": tusVersion,
        "tus-extension": extensions,
        "tus-max-size": String(objectBytes),
        "tus-checksum-algorithm": checksumAlgorithms.join(","),
      },
    }),

    createUpload: (exchange) => speakingTus(exchange, () => create(exchange, objectBytes)),

    listUploads: async ({ registry, query }) => ({
      status: 200,
      json: mapPage(await registry.listUploads(present(query)), encodeUpload),
    }),

    getUpload: async ({ registry, params }) => ({
      status: 200,
      json: encodeUpload(await registry.getUpload(params.uploadId)),
    }),

    headUpload: (exchange) => speakingTus(exchange, () => describe(exchange)),

    appendUpload: (exchange) => speakingTus(exchange, () => append(exchange, objectBytes)),

    cancelUpload: (exchange) => speakingTus(exchange, () => cancel(exchange)),
  };
}

/** Every answer of the protocol names its version, a refusal too. */
async function speakingTus<R>(
  { header }: Pick<Exchange, "header">,
  handle: () => Promise<R>,
): Promise<R> {
  const headers = { "tus-resumable": tusVersion };
  try {
    assertTusVersion(header);
    return await handle();
  } catch (thrown) {
    if (isStoreError(thrown)) throw new RefusedRequest(thrown, undefined, headers);
    if (!(thrown instanceof RefusedRequest)) throw thrown;
    throw new RefusedRequest(thrown.error, thrown.status, { ...headers, ...thrown.headers });
  }
}

type CreateUpload = Routes["createUpload"];

async function create(
  exchange: Exchange<CreateUpload>,
  limitBytes: number,
): Promise<Reply<CreateUpload>> {
  const { registry, header, context } = exchange;
  const comesWithBytes = hasBody(context.env.incoming);
  if (comesWithBytes) assertOffsetStream(exchange);
  if (header("upload-concat") !== undefined) throw noConcatenation();
  const checksum = parseUploadChecksum(header("upload-checksum"));
  const metadata = parseUploadMetadata(header("upload-metadata"));
  const created = await registry.createUpload({
    ...declaredSize(exchange, limitBytes),
    metadata,
    expect: expectedUpload(metadata),
  });
  const upload = comesWithBytes ? await fill(exchange, created, present({ checksum })) : created;
  return {
    status: 201,
    headers: { ...uploadHeaders(upload), location: `/api/v1/uploads/${upload.id}` },
  };
}

/** Appends what came with the creation. Where that fails, nobody would know of the upload. */
async function fill(
  exchange: Exchange<CreateUpload>,
  created: UploadInfo,
  options: Pick<AppendUploadOptions, "checksum">,
): Promise<UploadInfo> {
  try {
    return await appendFrom(exchange, created.id, 0, options);
  } catch (error) {
    await exchange.registry.cancelUpload(created.id).catch(() => undefined);
    throw error;
  }
}

type HeadUpload = Routes["headUpload"];

async function describe({ registry, params }: Exchange<HeadUpload>): Promise<Reply<HeadUpload>> {
  const upload = await registry.getUpload(params.uploadId, { settled: true });
  return { status: 200, headers: { ...uploadHeaders(upload), ...describingHeaders(upload) } };
}

type AppendUpload = Routes["appendUpload"];

async function append(
  exchange: Exchange<AppendUpload>,
  limitBytes: number,
): Promise<Reply<AppendUpload>> {
  const { registry, params, header } = exchange;
  assertOffsetStream(exchange);
  const offsetBytes = byteCount(header, "upload-offset");
  if (offsetBytes === undefined) {
    throw new StoreError("invalid_argument", "Upload-Offset is missing; say where the bytes go.");
  }
  const checksum = parseUploadChecksum(header("upload-checksum"));
  const sizeBytes = uploadSize(header, limitBytes);
  if (sizeBytes !== undefined) await registry.setUploadSize(params.uploadId, sizeBytes);
  const options = present({ checksum });
  const upload = await appendFrom(exchange, params.uploadId, offsetBytes, options);
  return { status: 204, headers: uploadHeaders(upload) };
}

/** Appends the request's body, until it ends, or the client goes, or the server closes. */
async function appendFrom(
  exchange: Pick<Exchange, "registry" | "bytes" | "signal" | "closing">,
  uploadId: string,
  offsetBytes: number,
  options: Pick<AppendUploadOptions, "checksum">,
): Promise<UploadInfo> {
  const { registry, bytes } = exchange;
  const signal = AbortSignal.any([exchange.signal, exchange.closing]);
  try {
    return await registry.appendUpload(uploadId, offsetBytes, bytes, { ...options, signal });
  } catch (error) {
    const isChecksum = options.checksum !== undefined && isStoreError(error, "digest_mismatch");
    if (!isChecksum || !(await isThere(registry, uploadId))) throw error;
    throw new RefusedRequest(error, checksumMismatch);
  }
}

/** The status that tus has for a body without its checksum; HTTP knows none such. */
const checksumMismatch = 460;

/** A wrong checksum leaves the upload as it was; bytes that are not what was claimed end it. */
async function isThere(registry: Registry, uploadId: string): Promise<boolean> {
  try {
    await registry.getUpload(uploadId);
    return true;
  } catch (error) {
    if (isStoreError(error, "upload_not_found")) return false;
    throw error;
  }
}

type CancelUpload = Routes["cancelUpload"];

async function cancel({ registry, params }: Exchange<CancelUpload>): Promise<Reply<CancelUpload>> {
  // Unknown is said to be so, which cancelling alone would not.
  await registry.getUpload(params.uploadId);
  await registry.cancelUpload(params.uploadId);
  return { status: 204, headers: { "tus-resumable": tusVersion } };
}

function declaredSize(
  { header }: Pick<Exchange, "header">,
  limitBytes: number,
): { sizeBytes?: number } {
  const sizeBytes = uploadSize(header, limitBytes);
  const deferred = header("upload-defer-length");
  if (deferred !== undefined && deferred !== "1") {
    throw new StoreError("invalid_argument", "Upload-Defer-Length can only be 1.", {
      context: { expected: "1", actual: deferred.slice(0, 40) },
    });
  }
  if ((sizeBytes === undefined) === (deferred === undefined)) {
    throw new StoreError(
      "invalid_argument",
      "Give either Upload-Length, or Upload-Defer-Length: 1 to say it later.",
    );
  }
  return sizeBytes === undefined ? {} : { sizeBytes };
}

function uploadSize(header: Exchange["header"], limitBytes: number): number | undefined {
  const sizeBytes = byteCount(header, "upload-length");
  if (sizeBytes === undefined || sizeBytes <= limitBytes) return sizeBytes;
  throw new StoreError("limit_exceeded", `An upload has at most ${limitBytes} bytes.`, {
    context: { limit: limitBytes, actual: sizeBytes },
  });
}

function assertOffsetStream({ header }: Pick<Exchange, "header">): void {
  const mediaType = header("content-type")?.split(";", 1)[0]?.trim().toLowerCase();
  if (mediaType === "application/offset+octet-stream") return;
  throw new StoreError(
    "unsupported_media_type",
    "The bytes of an upload have the type application/offset+octet-stream.",
    { context: { actual: mediaType?.slice(0, 80) ?? null } },
  );
}

function noConcatenation(): StoreError {
  return new StoreError("invalid_argument", "Uploads cannot be joined here; send one upload.");
}
