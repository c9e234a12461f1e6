import { encodePackage, type PackageInfo } from "@store/api";
import { contentAddress, digestBytes, type ContentAddress } from "@store/identity";

export const packageId = "01890000-0000-7000-8000-000000000001";
const time = "2026-01-02T03:04:05.678Z";

export const packageInfo: PackageInfo = {
  id: packageId,
  namespace: "acme",
  name: "app",
  version: "1.0.0",
  status: "open",
  revision: 1,
  createdAt: time,
  createdBy: "local",
  fileCount: 0,
  sizeBytes: 0,
  retentionClass: "standard",
};

export const packageJson = encodePackage(packageInfo);

export interface Sample {
  readonly bytes: Uint8Array;
  readonly address: ContentAddress;
  readonly sha256: ContentAddress;
  /** What a download's answer says of it. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Bytes that differ everywhere, with their digests. */
export async function sampleBytes(sizeBytes: number, seed = 1): Promise<Sample> {
  const bytes = new Uint8Array(sizeBytes);
  let state = seed;
  for (let index = 0; index < sizeBytes; index += 1) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7f_ff_ff_ff;
    bytes[index] = state >>> 16;
  }
  const digest = await digestBytes(bytes);
  const base64 = Buffer.from(digest.sha256.bytes).toString("base64");
  return {
    bytes,
    address: contentAddress(digest.primary),
    sha256: contentAddress(digest.sha256),
    headers: {
      etag: `"${contentAddress(digest.primary)}"`,
      "repr-digest": `sha-256=:${base64}:`,
      "content-type": "application/octet-stream",
    },
  };
}

export async function* inChunks(bytes: Uint8Array, sizeBytes = 65_536): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += sizeBytes) yield bytes.subarray(at, at + sizeBytes);
}

export async function gathered(source: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}
