import { encodeAddedFile, type Routes } from "@store/api";
import { parseContentAddress, StoreError } from "@store/identity";
import type { AddedFile, ExpectedContent, FileOptions } from "@store/registry";

import { claimedDigests } from "../http/digest-headers.ts";
import type { Exchange, Reply, ServiceMetrics } from "../http/handler.ts";

type PutFile = Routes["putFile"];

/** Adds a file: its bytes, an object by its address, or what an upload became. */
export async function putFile(
  exchange: Exchange<PutFile>,
  metrics: ServiceMetrics | undefined,
): Promise<Reply<PutFile>> {
  const { params } = exchange;
  const added = await addFile(exchange);
  metrics?.fileAdded(added);
  const segments = params.path.split("/").map((segment) => encodeURIComponent(segment));
  const location = `/api/v1/packages/${params.packageId}/files/${segments.join("/")}`;
  const headers = { location, etag: `"${added.address}"` };
  return { status: 201, headers, json: encodeAddedFile(added) };
}

async function addFile(exchange: Exchange<PutFile>): Promise<AddedFile> {
  const { registry, params, header, signal } = exchange;
  const { packageId, path } = params;
  assertNoPart(exchange);
  const [address, upload] = [header("store-object"), header("store-upload")];
  const options = fileOptions(exchange);
  if (address === undefined && upload === undefined) {
    const expect = expectedContent(exchange);
    return await registry.ingestFile(packageId, path, exchange.bytes, {
      ...options,
      expect,
      signal,
    });
  }
  assertNamedOnly(exchange);
  const object = upload === undefined ? parseContentAddress(address ?? "") : { upload };
  return await registry.addFile(packageId, path, object, options);
}

function fileOptions({ query, header }: Exchange<PutFile>): FileOptions {
  const mediaType = givenMediaType(header("content-type"));
  const idempotencyKey = header("idempotency-key");
  return {
    ...(mediaType === undefined ? {} : { mediaType }),
    ...(query.executable === undefined ? {} : { executable: query.executable }),
    ...(query.replace === undefined ? {} : { replace: query.replace }),
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
  };
}

/** What the request claims about its body; each claim is checked. */
function expectedContent({ query, header }: Exchange<PutFile>): ExpectedContent {
  const length = header("content-length");
  return {
    ...claimedDigests(header, query.expect),
    ...(length === undefined ? {} : { sizeBytes: Number(length) }),
  };
}

/** The file's type; a type that the client's program gave by itself says nothing of the file. */
function givenMediaType(contentType: string | undefined): string | undefined {
  const essence = contentType?.split(";", 1)[0]?.trim().toLowerCase();
  if (essence === "multipart/form-data") {
    throw new StoreError(
      "unsupported_media_type",
      "The body is a form; send the file itself as the body, e.g. by curl --upload-file.",
      { context: { actual: essence } },
    );
  }
  const says = essence !== "application/octet-stream" && essence !== formDefault;
  return says && essence !== "" ? contentType : undefined;
}

/** What curl's --data-binary says unless it is told otherwise. */
const formDefault = "application/x-www-form-urlencoded";

/** RFC 9110 §14.5. */
function assertNoPart({ header }: Exchange<PutFile>): void {
  if (header("content-range") === undefined) return;
  throw new StoreError(
    "invalid_argument",
    "A part of a file cannot be put; use a resumable upload at /api/v1/uploads.",
  );
}

/** Refuses what contradicts a request that names its object. */
function assertNamedOnly({ header, query }: Exchange<PutFile>): void {
  const length = header("content-length");
  const hasBody = header("transfer-encoding") !== undefined || (length ?? "0") !== "0";
  const claims = ["content-digest", "repr-digest"].some((name) => header(name) !== undefined);
  const both = header("store-object") !== undefined && header("store-upload") !== undefined;
  if (!hasBody && !claims && !both && query.expect === undefined) return;
  throw new StoreError(
    "invalid_argument",
    "Store-Object or Store-Upload says which bytes are meant: give one of them, and neither a " +
      "body nor digests beside it.",
  );
}
