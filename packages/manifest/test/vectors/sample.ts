/** A manifest that need not be valid. */
export type Loose = { [field: string]: unknown };

/** 32 bytes that differ from seed to seed. */
export function bytesOf(seed: number): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, index) => (seed * 31 + index * 7 + 1) % 256);
}

export function addressOf(seed: number): string {
  return `blake3:${Buffer.from(bytesOf(seed)).toString("hex")}`;
}

export function receipt(address: string, backend = "primary"): Loose {
  return { content_address: address, backend, stored_at: "2026-01-02T03:04:05.678Z" };
}

/** A manifest of these files, with the receipts that they need and other fields replaced. */
export function manifest(
  files: readonly Loose[],
  replaced: Loose = {},
  backends: readonly string[] = ["primary"],
): Loose {
  const addresses = new Set(
    files.map(({ digests }) => {
      const blake3 = (digests as { readonly blake3: Uint8Array }).blake3;
      return `blake3:${Buffer.from(blake3).toString("hex")}`;
    }),
  );
  return {
    manifest_version: 1,
    package: {
      namespace: "acme",
      name: "app",
      version: "1.0.0",
      created_at: "2026-01-01T00:00:00.000Z",
    },
    files,
    storage_receipts: [...addresses]
      .toSorted()
      .flatMap((address) => backends.map((backend) => receipt(address, backend))),
    retention_summary: { class: "standard", holds: [] },
    provenance: { actor: "user-1" },
    ...replaced,
  };
}
