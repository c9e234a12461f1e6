import {
  archiveMediaTypes,
  archiveSizeBytes,
  createArchive,
  type ArchiveEntry,
  type ArchiveFormat,
} from "@store/archive";
import type { Routes } from "@store/api";
import { contentAddress, digestBytes, StoreError } from "@store/identity";
import type { FileInfo, PackageSummary, Registry } from "@store/registry";

import { chooseMediaType } from "../http/accept.ts";
import { attachmentHeaders } from "../http/attachment.ts";
import { cachedForEver } from "../http/caching.ts";
import { checkConditions } from "../http/conditions.ts";
import { formatDigests } from "../http/digest-headers.ts";
import type { BytesReply, Exchange, Handlers } from "../http/handler.ts";

type ManifestAndArchiveNames =
  | "getManifest"
  | "getTarArchive"
  | "getTarGzArchive"
  | "getZipArchive";

/** What a finalized package is as one document, or as one file. */
export function manifestAndArchiveHandlers(): Handlers<ManifestAndArchiveNames> {
  return {
    getManifest: async (exchange) => await sendManifest(exchange),
    getTarArchive: async (exchange) => await sendArchive(exchange, "tar"),
    getTarGzArchive: async (exchange) => await sendArchive(exchange, "tar.gz"),
    getZipArchive: async (exchange) => await sendArchive(exchange, "zip"),
  };
}

async function sendManifest(exchange: Exchange<Routes["getManifest"]>): Promise<BytesReply> {
  const { registry, params, header, principal } = exchange;
  const mediaType = chooseMediaType(header("accept"), ["application/json", "application/cbor"]);
  const form = mediaType === "application/cbor" ? "cbor" : "jcs";
  const bytes = await registry.getManifestBytes(params.packageId, form);
  const { primary, sha256 } = await digestBytes(bytes);
  const entityTag = `"${contentAddress(primary)}"`;
  const headers = { etag: entityTag, vary: "Accept", "cache-control": cachedForEver(principal) };
  if (checkConditions(header, entityTag) === "not_modified") return { status: 304, headers };
  return {
    status: 200,
    headers: {
      ...headers,
      "content-type": mediaType,
      "content-length": String(bytes.length),
      "repr-digest": formatDigests(contentAddress(sha256), contentAddress(primary)),
      "x-content-type-options": "nosniff",
    },
    bytes,
  };
}

type ArchiveExchange = Exchange<Routes["getTarArchive" | "getTarGzArchive" | "getZipArchive"]>;

async function sendArchive(exchange: ArchiveExchange, format: ArchiveFormat): Promise<BytesReply> {
  const { registry, params, header, principal, signal } = exchange;
  const pkg = await registry.getPackage(params.packageId);
  if (pkg.manifestDigest === undefined) throw notFinalized(pkg);
  // The same manifest gives the same archive, everywhere.
  const entityTag = `"${pkg.manifestDigest}.${format}"`;
  const headers = { etag: entityTag, "cache-control": cachedForEver(principal) };
  if (checkConditions(header, entityTag) === "not_modified") return { status: 304, headers };
  const sizeBytes = await archiveSize(registry, pkg, format);
  await openFirst(registry, pkg.id);
  return {
    status: 200,
    headers: {
      ...headers,
      ...attachmentHeaders(`${fileName(pkg)}.${format}`),
      "content-type": archiveMediaTypes[format],
      ...(sizeBytes === undefined ? {} : { "content-length": String(sizeBytes) }),
    },
    bytes: createArchive(format, archiveEntries(registry, pkg.id, signal), { signal }),
  };
}

/**
 * Throws what keeps the first file from being read, such as that it lies in an archive of the
 * store, where its package mostly lies as a whole: once the answer has begun, it can only be cut.
 */
async function openFirst(registry: Registry, packageId: string): Promise<void> {
  const { items } = await registry.listFiles(packageId, { limit: 1 });
  // Of no bytes: it is looked for, and not read.
  for (const { path } of items) {
    await registry.getFile(packageId, path, { range: { start: 0, end: 0 } });
  }
}

/** A longer list is not read twice, so that the length of its archive is not said. */
const sizedFiles = 10_000;

/** The archive's length, where it follows from the files' sizes. */
async function archiveSize(
  registry: Registry,
  { id, fileCount }: PackageSummary,
  format: ArchiveFormat,
): Promise<number | undefined> {
  if (format !== "tar" || fileCount > sizedFiles) return undefined;
  return archiveSizeBytes(format, await Array.fromAsync(listAll(registry, id)));
}

async function* archiveEntries(
  registry: Registry,
  packageId: string,
  signal: AbortSignal,
): AsyncGenerator<ArchiveEntry> {
  for await (const { path, sizeBytes, executable } of listAll(registry, packageId)) {
    const open = () => readFile(registry, packageId, path, signal);
    yield { path, sizeBytes, executable, open };
  }
}

async function* readFile(
  registry: Registry,
  packageId: string,
  path: string,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const { body } = await registry.getFile(packageId, path, { signal });
  yield* body;
}

async function* listAll(registry: Registry, packageId: string): AsyncGenerator<FileInfo> {
  let cursor: string | undefined;
  do {
    const page = await registry.listFiles(packageId, {
      limit: 1000,
      ...(cursor === undefined ? {} : { cursor }),
    });
    yield* page.items;
    ({ cursor } = page);
  } while (cursor !== undefined);
}

function fileName({ name, version, variant }: PackageSummary): string {
  return [name, version, ...(variant === undefined ? [] : [variant])].join("-");
}

function notFinalized({ id, namespace, name, version }: PackageSummary): StoreError {
  return new StoreError(
    "package_not_finalized",
    `${namespace}/${name}@${version} is still open; finalize it before it is packed.`,
    { context: { reference: id } },
  );
}
