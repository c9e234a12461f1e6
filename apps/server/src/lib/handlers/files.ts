import { encodeFile, mapPage, present, type Routes } from "@store/api";
import { parseContentAddress, StoreError, type ContentAddress } from "@store/identity";
import type { FileInfo, Registry } from "@store/registry";
import type { ResolvedRange } from "@store/storage";

import { cachedForEver, notCached } from "../http/caching.ts";
import { answerDownload } from "../http/download.ts";
import type { BytesReply, Exchange, Handlers, ServiceMetrics } from "../http/handler.ts";
import { putFile } from "./put-file.ts";

type FileRouteNames =
  | "listFiles"
  | "putFile"
  | "getFile"
  | "deleteFile"
  | "getObject"
  | "listMissingObjects";

export interface FileHandlerOptions {
  readonly metrics?: ServiceMetrics | undefined;
  /** The smallest read that is redirected to where the bytes are; absent: none is. */
  readonly redirectReadBytes?: number | undefined;
}

/** Files in packages, and the objects behind them. */
export function fileHandlers({
  metrics,
  redirectReadBytes,
}: FileHandlerOptions): Handlers<FileRouteNames> {
  return {
    listFiles: async ({ registry, params, query }) => ({
      status: 200,
      json: mapPage(await registry.listFiles(params.packageId, present(query)), encodeFile),
    }),

    putFile: (exchange) => putFile(exchange, metrics),

    getFile: async (exchange) => await downloadFile(exchange, redirectReadBytes),

    deleteFile: async ({ registry, params, header }) => {
      const idempotencyKey = header("idempotency-key");
      const options = idempotencyKey === undefined ? {} : { idempotencyKey };
      await registry.removeFile(params.packageId, params.path, options);
      return { status: 204 };
    },

    getObject: async (exchange) => await downloadObject(exchange, redirectReadBytes),

    listMissingObjects: async ({ registry, body }) => {
      const addresses = body.addresses.map((text) => parseContentAddress(text));
      return { status: 200, json: { missing: await registry.listMissing(addresses) } };
    },
  };
}

/** What is sent is taken before the chunk after the next is asked for. */
const reuseChunks = true;

async function downloadFile(
  exchange: Exchange<Routes["getFile"]>,
  redirectBytes: number | undefined,
): Promise<BytesReply> {
  const { registry, params, signal } = exchange;
  const { packageId, path } = params;
  const opened = await registry.getFile(packageId, path, { signal, reuseChunks });
  const { file, packageStatus } = opened;
  assertWhole(file, opened.range);
  const open = async function* (range: ResolvedRange) {
    const part = await registry.getFile(packageId, path, { range, signal, reuseChunks });
    // A file of an open package may have been replaced since.
    if (part.file.address !== file.address) throw replaced(path);
    yield* part.body;
  };
  return await answerDownload(exchange, {
    ...file,
    fileName: path.slice(path.lastIndexOf("/") + 1),
    cacheControl: packageStatus === "open" ? notCached : cachedForEver(exchange.principal),
    whole: opened.body,
    open,
    redirectBytes,
    presign: (answer) => registry.presignFile(packageId, path, answer),
  });
}

async function downloadObject(
  exchange: Exchange<Routes["getObject"]>,
  redirectBytes: number | undefined,
): Promise<BytesReply> {
  const { registry, params, signal } = exchange;
  const { object, body, range } = await registry.openObject(parseContentAddress(params.address), {
    signal,
    reuseChunks,
  });
  assertWhole(object, range);
  return await answerDownload(exchange, {
    ...object,
    fileName: object.address.slice(object.address.indexOf(":") + 1),
    cacheControl: cachedForEver(exchange.principal),
    whole: body,
    open: (part) => openPart(registry, object.address, part, signal),
    redirectBytes,
    presign: (answer) => registry.presignObject(object.address, answer),
  });
}

async function* openPart(
  registry: Registry,
  address: ContentAddress,
  range: ResolvedRange,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const { body } = await registry.openObject(address, { range, signal, reuseChunks });
  yield* body;
}

/** Refuses an object that was cut where it is stored, before its size is promised. */
function assertWhole(
  { address, sizeBytes }: Pick<FileInfo, "address" | "sizeBytes">,
  range: ResolvedRange,
) {
  if (range.start === 0 && range.end === sizeBytes) return;
  throw new StoreError(
    "object_corrupt",
    `The stored object ${address} has ${range.end} bytes, not ${sizeBytes}; restore it.`,
    { context: { reference: address, expected: sizeBytes, actual: range.end } },
  );
}

function replaced(path: string): StoreError {
  return new StoreError("source_changed", `The file "${path}" was replaced meanwhile; ask again.`, {
    context: { path },
  });
}
