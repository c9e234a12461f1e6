import { contentAddress, Digest } from "@store/identity";
import type { ContentAddress, DualDigest, PackageCoordinates } from "@store/identity";
import type { Manifest, ManifestFile } from "./manifest.ts";

/** The content address of a file's object, `blake3:<hex>`. */
export function fileContentAddress(file: Pick<ManifestFile, "digests">): ContentAddress {
  return contentAddress(Digest.of("blake3", file.digests.blake3));
}

/** A file's digests and size, as hashing the object gives them. */
export function fileDualDigest(file: Pick<ManifestFile, "digests" | "size">): DualDigest {
  return {
    primary: Digest.of("blake3", file.digests.blake3),
    sha256: Digest.of("sha256", file.digests.sha256),
    sizeBytes: file.size,
  };
}

/** The coordinates of the package that a manifest describes. */
export function packageCoordinates(manifest: Pick<Manifest, "package">): PackageCoordinates {
  const { namespace, name, version, variant } = manifest.package;
  return { namespace, name, version, ...(variant === undefined ? {} : { variant }) };
}
