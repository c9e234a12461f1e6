import { StoreError } from "@store/identity";
import type { ChecksumAlgorithm } from "@store/registry";

const sizesBytes: Readonly<Record<ChecksumAlgorithm, number>> = {
  sha1: 20,
  md5: 16,
  sha256: 32,
  sha512: 64,
};

/** The algorithms of `Upload-Checksum`, the one that must be there first. */
export const checksumAlgorithms = Object.keys(sizesBytes) as readonly ChecksumAlgorithm[];

export interface Checksum {
  readonly algorithm: ChecksumAlgorithm;
  readonly digest: Uint8Array;
}

/**
 * Reads `Upload-Checksum`: an algorithm, a space and its digest in base64.
 *
 * @throws {StoreError} `invalid_argument`, which is what tus asks for an unknown algorithm
 */
export function parseUploadChecksum(header: string | undefined): Checksum | undefined {
  if (header === undefined) return undefined;
  const [name, base64 = "", ...more] = header.trim().split(" ");
  const algorithm = checksumAlgorithms.find((known) => known === name);
  const digest = Buffer.from(base64, "base64");
  const sizeBytes = algorithm === undefined ? undefined : sizesBytes[algorithm];
  if (
    algorithm !== undefined &&
    digest.length === sizeBytes &&
    digest.toString("base64") === base64 &&
    more.length === 0
  ) {
    return { algorithm, digest };
  }
  throw new StoreError(
    "invalid_argument",
    `Upload-Checksum must be one of ${checksumAlgorithms.join(", ")}, a space, and the digest in ` +
      "base64.",
    { context: { actual: header.slice(0, 200) } },
  );
}
