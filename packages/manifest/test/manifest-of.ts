import { createHash } from "node:crypto";
import { contentAddress, Digest } from "@store/identity";
import { canonicalizeJson, compareBytewise } from "@store/manifest";
import type { Manifest, ManifestFile, ManifestReceipt } from "@store/manifest";

const storedAt = "2026-01-02T03:04:05.678Z";

/** A valid manifest with `fileCount` files, always the same one for the same number. */
export function manifestOf(fileCount: number): Manifest {
  const files = Array.from({ length: fileCount }, (_, index) => fileOf(index)).toSorted(
    (left, right) => compareBytewise(left.path, right.path),
  );
  return {
    manifest_version: 1,
    package: {
      namespace: "acme",
      name: "app",
      version: "1.2.0",
      variant: "linux-amd64",
      created_at: "2026-01-01T00:00:00.000Z",
      metadata: canonicalizeJson({ licence: "Apache-2.0", ratio: 0.25, tags: ["a", "b"] }),
    },
    files,
    storage_receipts: receiptsOf(files, ["primary"]),
    retention_summary: { class: "standard", expires_at: "2026-04-01T00:00:00.000Z", holds: [] },
    provenance: { actor: "user-1", source: "https://example.org/acme/app", build: "1042" },
  };
}

/** The sorted receipts that `files` need, one for each object and backend. */
export function receiptsOf(
  files: readonly ManifestFile[],
  backends: readonly string[],
): ManifestReceipt[] {
  const addresses = new Set(
    files.map(({ digests }) => contentAddress(Digest.of("blake3", digests.blake3))),
  );
  return [...addresses]
    .toSorted()
    .flatMap((address) =>
      backends
        .toSorted()
        .map((backend) => ({ content_address: address, backend, stored_at: storedAt })),
    );
}

function fileOf(index: number): ManifestFile {
  const sha256 = new Uint8Array(createHash("sha256").update(`file ${index}`).digest());
  const folder = `lib/package-${index % 97}/dist`;
  return {
    path: `${folder}/module-${index.toString(36).padStart(6, "0")}.js`,
    size: (index * 7919) % 1_000_003,
    media_type: "text/javascript",
    ...(index % 10 === 0 ? { executable: true as const } : {}),
    // Any 32 bytes that differ from file to file will do for the other digest.
    digests: { blake3: sha256.toReversed(), sha256 },
  };
}
