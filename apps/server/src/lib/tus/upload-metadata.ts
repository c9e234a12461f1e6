import { parseContentAddress, digestOf, StoreError } from "@store/identity";
import type { ExpectedContent, UploadMetadata } from "@store/registry";

const headerLength = 4096;
/** A character of a key: none that separates, and none that a header cannot carry. */
const keyPattern = /^[!-+\--~]{1,128}$/;
const base64Pattern = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/;

/**
 * Reads `Upload-Metadata`: keys, each with a base64 text, separated by commas.
 *
 * @throws {StoreError} `invalid_argument`, `limit_exceeded`
 */
export function parseUploadMetadata(header: string | undefined): UploadMetadata {
  if (header === undefined || header.trim() === "") return {};
  if (header.length > headerLength) {
    throw new StoreError("limit_exceeded", `Upload-Metadata has more than ${headerLength} bytes.`, {
      context: { limit: headerLength, actual: header.length },
    });
  }
  const metadata = new Map<string, string>();
  for (const pair of header.split(",")) {
    const [key = "", value = "", ...more] = pair.trim().split(" ");
    if (!keyPattern.test(key) || more.length > 0) throw malformed(`the pair '${pair.trim()}'`);
    if (metadata.has(key)) throw malformed(`the key '${key}' twice`);
    metadata.set(key, decode(key, value));
  }
  return Object.fromEntries(metadata);
}

/** Writes `Upload-Metadata` as it was read. */
export function formatUploadMetadata(metadata: UploadMetadata): string {
  return Object.entries(metadata)
    .map(([key, value]) => (value === "" ? key : `${key} ${Buffer.from(value).toString("base64")}`))
    .join(",");
}

/** What the creator claims of the whole, under the key `expect`. */
export function expectedUpload({ expect }: UploadMetadata): ExpectedContent {
  if (expect === undefined) return {};
  const address = parseContentAddress(expect);
  return digestOf(address).algorithm === "sha256" ? { sha256: address } : { address };
}

function decode(key: string, base64: string): string {
  if (!base64Pattern.test(base64)) throw malformed(`a value of '${key}' that is not base64`);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
      Buffer.from(base64, "base64"),
    );
  } catch (cause) {
    throw malformed(`a value of '${key}' that is not UTF-8`, cause);
  }
}

function malformed(what: string, cause?: unknown): StoreError {
  return new StoreError(
    "invalid_argument",
    `Upload-Metadata has ${what.slice(0, 200)}; give unique keys, each with a space and its ` +
      "text in base64, separated by commas.",
    cause === undefined ? {} : { cause },
  );
}
