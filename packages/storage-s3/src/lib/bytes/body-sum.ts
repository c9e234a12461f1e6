import { createHash, hash, type Hash } from "node:crypto";
import { crc32 } from "node:zlib";

/** What protects a body on its way, as the SDK's commands and the signature take it. */
export interface BodySum {
  /** Of `x-amz-checksum-*`, in base64. */
  readonly checksum: { readonly ChecksumCRC32?: string; readonly ChecksumSHA256?: string };
  /** Of `x-amz-content-sha256`: the digest in hex, or that the body is not signed. */
  readonly contentSha256: string;
}

export type SumKind = "crc32" | "sha256";

/** Adds up a body as it comes. A CRC-32 runs four times as fast as SHA-256. */
export class RunningSum {
  readonly #hash: Hash | undefined;
  #crc = 0;

  constructor(kind: SumKind) {
    this.#hash = kind === "sha256" ? createHash("sha256") : undefined;
  }

  update(chunk: Uint8Array): void {
    if (this.#hash === undefined) this.#crc = crc32(chunk, this.#crc);
    else this.#hash.update(chunk);
  }

  /** May be asked for again; `flexible`: whether the store takes `x-amz-checksum-*`. */
  sum(flexible: boolean): BodySum {
    if (this.#hash === undefined) return crcSum(this.#crc);
    return sha256Sum(this.#hash.copy().digest(), flexible);
  }
}

/** The SHA-256 of chunks that belong together. */
export function sha256Of(chunks: readonly Uint8Array[]): Buffer {
  const [first = new Uint8Array(0)] = chunks;
  if (chunks.length < 2) return hash("sha256", first, "buffer");
  const running = createHash("sha256");
  for (const chunk of chunks) running.update(chunk);
  return running.digest();
}

export function sha256Sum(digest: Buffer, flexible: boolean): BodySum {
  const checksum = flexible ? { ChecksumSHA256: digest.toString("base64") } : {};
  return { checksum, contentSha256: digest.toString("hex") };
}

function crcSum(crc: number): BodySum {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc);
  const checksum = { ChecksumCRC32: bytes.toString("base64") };
  return { checksum, contentSha256: "UNSIGNED-PAYLOAD" };
}
