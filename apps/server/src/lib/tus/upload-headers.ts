import { StoreError } from "@store/identity";
import type { UploadInfo } from "@store/registry";

import type { HeaderReader } from "../http/conditions.ts";
import { RefusedRequest } from "../http/refused-request.ts";
import { formatUploadMetadata } from "./upload-metadata.ts";

/** The protocol's version, which every answer names. */
export const tusVersion = "1.0.0";

/**
 * Refuses another version of the protocol than ours.
 *
 * @throws {RefusedRequest} with 412 and the version that is served
 */
export function assertTusVersion(header: HeaderReader): void {
  const version = header("tus-resumable");
  if (version === tusVersion) return;
  const error = new StoreError(
    "precondition_failed",
    `Tus-Resumable is ${version === undefined ? "missing" : `'${version.slice(0, 40)}'`}; ` +
      `this server speaks ${tusVersion}.`,
    { context: { expected: tusVersion, actual: version?.slice(0, 40) ?? null } },
  );
  throw new RefusedRequest(error, undefined, { "tus-version": tusVersion });
}

/** A header that is a count of bytes; undefined where it is absent. */
export function byteCount(header: HeaderReader, name: string): number | undefined {
  const value = header(name);
  if (value === undefined) return undefined;
  const count = Number(value);
  if (/^\d{1,16}$/.test(value) && Number.isSafeInteger(count)) return count;
  throw new StoreError("invalid_argument", `${name} must be a whole number of bytes.`, {
    context: { actual: value.slice(0, 40) },
  });
}

/** What every answer about an upload says of it. */
export function uploadHeaders(upload: UploadInfo): Record<string, string> {
  const { offsetBytes, expiresAt, address } = upload;
  return {
    "tus-resumable": tusVersion,
    "upload-offset": String(offsetBytes),
    "upload-expires": new Date(expiresAt).toUTCString(),
    ...(address === undefined ? {} : { "store-object": address }),
  };
}

/** What `HEAD` says beside that. */
export function describingHeaders({ sizeBytes, metadata }: UploadInfo): Record<string, string> {
  const described = formatUploadMetadata(metadata);
  return {
    ...(sizeBytes === undefined
      ? { "upload-defer-length": "1" }
      : { "upload-length": String(sizeBytes) }),
    ...(described === "" ? {} : { "upload-metadata": described }),
  };
}
