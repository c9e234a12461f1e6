import { StoreError, type ContentAddress } from "@store/identity";

/**
 * Manifest v1: what a finalized package consists of. `manifest.cddl` says the same in CDDL.
 * An optional field is absent where it says nothing; it is never null or undefined.
 */
export interface Manifest {
  readonly manifest_version: 1;
  readonly package: ManifestPackage;
  /** Sorted by path, bytewise on UTF-8 ({@link compareBytewise}). */
  readonly files: readonly ManifestFile[];
  /** Sorted by content address, then backend, and unique; at least one for each file's object. */
  readonly storage_receipts: readonly ManifestReceipt[];
  readonly retention_summary: ManifestRetention;
  readonly provenance: ManifestProvenance;
}

export interface ManifestPackage {
  readonly namespace: string;
  readonly name: string;
  readonly version: string;
  readonly variant?: string;
  /** RFC 3339 UTC with milliseconds, as are all times. */
  readonly created_at: string;
  /** A JSON object in its canonical form (RFC 8785), in UTF-8. */
  readonly metadata?: Uint8Array;
}

export interface ManifestFile {
  /** Relative, under the path rules of a package. */
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  /** RFC 9110 §8.3.1. */
  readonly media_type?: string;
  /** Only ever true: a file that is not executable has no such field. */
  readonly executable?: true;
  readonly digests: ManifestDigests;
}

/** Digests by algorithm, 32 bytes each. The content address is made of the BLAKE3 one. */
export interface ManifestDigests {
  readonly blake3: Uint8Array;
  readonly sha256: Uint8Array;
}

/** That a backend holds an object for this package. */
export interface ManifestReceipt {
  readonly content_address: ContentAddress;
  /** A logical role, such as `primary`, that configuration maps to a place. */
  readonly backend: string;
  /** When this package accepted the object. */
  readonly stored_at: string;
}

export interface ManifestRetention {
  readonly class: string;
  readonly expires_at?: string;
  /** The ids of the holds on the package, sorted and unique. */
  readonly holds: readonly string[];
}

export interface ManifestProvenance {
  /** Who finalized the package: an opaque id. */
  readonly actor: string;
  readonly source?: string;
  readonly build?: string;
}

/** A manifest without its two long arrays. */
export type ManifestSummary = Omit<Manifest, "files" | "storage_receipts">;

/** How much a manifest may be. Whatever is accepted by one function is accepted by all. */
export const manifestLimits = Object.freeze({
  /** The canonical CBOR: enough for about 700,000 files. */
  maxBytes: 256 * 1024 * 1024,
  /** The JSON projection, which is less than four times as long. */
  maxJcsBytes: 1024 * 1024 * 1024,
  maxMetadataBytes: 1024 * 1024,
  maxMetadataDepth: 64,
  maxHolds: 1000,
  /** Each text of the provenance, in UTF-8. */
  maxTextBytes: 2048,
  maxMediaTypeBytes: 255,
});

/** @throws {StoreError} `limit_exceeded` */
export function assertManifestSize(sizeBytes: number, limitBytes: number): void {
  if (sizeBytes <= limitBytes) return;
  throw new StoreError(
    "limit_exceeded",
    `The manifest has ${sizeBytes} bytes where at most ${limitBytes} are allowed.`,
    { context: { actual: sizeBytes, limit: limitBytes } },
  );
}
