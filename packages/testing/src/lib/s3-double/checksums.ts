import { createHash, hash } from "node:crypto";
import { crc32 } from "node:zlib";
import { combineCrc, type CrcShape } from "./crc-combine.ts";
import { crc32c } from "./crc32c.ts";
import { Crc64Nvme } from "./crc64nvme.ts";

/** S3's names of its checksums. */
export type ChecksumAlgorithm = "CRC32" | "CRC32C" | "CRC64NVME" | "SHA1" | "SHA256";

/** How a multipart object's checksum follows from its parts. */
export type ChecksumType = "COMPOSITE" | "FULL_OBJECT";

/** An object's checksum as S3 answers it; a composite one ends with `-<parts>`. */
export interface StoredChecksum {
  readonly algorithm: ChecksumAlgorithm;
  readonly type: ChecksumType;
  readonly value: string;
}

export const checksumAlgorithms = [
  "CRC32",
  "CRC32C",
  "CRC64NVME",
  "SHA1",
  "SHA256",
] as const satisfies readonly ChecksumAlgorithm[];

const lengths: Readonly<Record<ChecksumAlgorithm, number>> = {
  CRC32: 4,
  CRC32C: 4,
  CRC64NVME: 8,
  SHA1: 20,
  SHA256: 32,
};

const shapes: Readonly<Partial<Record<ChecksumAlgorithm, CrcShape>>> = {
  CRC32: { bits: 32n, polynomial: 0xedb88320n },
  CRC32C: { bits: 32n, polynomial: 0x82f63b78n },
  CRC64NVME: { bits: 64n, polynomial: 0x9a6c9329ac4bc9b5n },
};

/** `x-amz-checksum-crc32` and so on. */
export function checksumHeader(algorithm: ChecksumAlgorithm): string {
  return `x-amz-checksum-${algorithm.toLowerCase()}`;
}

/** `ChecksumCRC32` and so on. */
export function checksumElement(algorithm: ChecksumAlgorithm): string {
  return `Checksum${algorithm}`;
}

/** Reads an algorithm's name, in any case. */
export function parseAlgorithm(text: string): ChecksumAlgorithm | undefined {
  return checksumAlgorithms.find((name) => name === text.toUpperCase());
}

/** Whether the text is base64 of as many bytes as the algorithm gives. */
export function isChecksum(algorithm: ChecksumAlgorithm, text: string): boolean {
  const bytes = Buffer.from(text, "base64");
  return bytes.length === lengths[algorithm] && bytes.toString("base64") === text;
}

/** Something that hashes piece by piece. */
export interface Hasher {
  update(bytes: Uint8Array): void;
  digest(): Buffer;
}

/** A hasher of the algorithm. */
export function createHasher(algorithm: ChecksumAlgorithm): Hasher {
  switch (algorithm) {
    case "CRC32":
      return crcHasher(crc32);
    case "CRC32C":
      return crcHasher(crc32c);
    case "CRC64NVME":
      return new Crc64Nvme();
    case "SHA1":
    case "SHA256":
      return createHash(algorithm.toLowerCase());
  }
}

function crcHasher(step: (bytes: Uint8Array, before: number) => number): Hasher {
  let value = 0;
  return {
    update: (bytes) => {
      value = step(bytes, value);
    },
    digest: () => {
      const digest = Buffer.alloc(4);
      digest.writeUInt32BE(value);
      return digest;
    },
  };
}

/** A part's checksum and size. */
export interface PartChecksum {
  readonly size: number;
  /** base64 */
  readonly value: string;
}

/** The checksum of the checksums, and how many there are. */
export function compositeChecksum(
  algorithm: ChecksumAlgorithm,
  parts: readonly PartChecksum[],
): string {
  const hasher = createHasher(algorithm);
  for (const part of parts) hasher.update(Buffer.from(part.value, "base64"));
  return `${hasher.digest().toString("base64")}-${parts.length}`;
}

/** The checksum of the parts' bytes one after the other; of CRCs only. */
export function fullObjectChecksum(
  algorithm: ChecksumAlgorithm,
  parts: readonly PartChecksum[],
): string {
  const shape = shapes[algorithm];
  if (shape === undefined) throw new Error(`${algorithm} of an object does not follow from parts.`);
  const whole = parts.reduce((before, part) => {
    const value = BigInt(`0x${Buffer.from(part.value, "base64").toString("hex")}`);
    return combineCrc(shape, before, value, part.size);
  }, 0n);
  const hex = whole.toString(16).padStart(Number(shape.bits) / 4, "0");
  return Buffer.from(hex, "hex").toString("base64");
}

/** The entity tag of bytes: their MD5 in hex, save where a key of KMS encrypts them. */
export function etagOf(encryption: string, md5: string): string {
  return encryption === "AES256" ? md5 : hash("md5", `${encryption} ${md5}`, "hex");
}

/** The entity tag of an object of parts: the MD5 of their MD5s, and how many there are. */
export function multipartEtag(partEtags: readonly string[]): string {
  const joined = Buffer.concat(partEtags.map((etag) => Buffer.from(etag, "hex")));
  return `${hash("md5", joined, "hex")}-${partEtags.length}`;
}
