import { createHash, type Hash, randomBytes } from "node:crypto";
import {
  type ChecksumAlgorithm,
  checksumAlgorithms,
  checksumHeader,
  createHasher,
  type Hasher,
  isChecksum,
  parseAlgorithm,
} from "./checksums.ts";
import { S3Error } from "./errors.ts";
import type { PayloadForm } from "./payload.ts";
import { header, type S3Request } from "./request.ts";

/** The checksum that a client declares: its value at once, or in the trailer. */
export interface DeclaredChecksum {
  readonly algorithm: ChecksumAlgorithm;
  readonly value: string | undefined;
}

/** What was found out of a payload. */
export interface CheckedBody {
  readonly size: number;
  /** hex */
  readonly md5: string;
  readonly checksum: { readonly algorithm: ChecksumAlgorithm; readonly value: string } | undefined;
}

/** Reads which checksum comes with the request. Throws `S3Error`. */
export function declaredChecksum(request: S3Request): DeclaredChecksum | undefined {
  const named = header(request, "x-amz-sdk-checksum-algorithm");
  const trailer = header(request, "x-amz-trailer")?.toLowerCase();
  const found: DeclaredChecksum[] = [];
  for (const algorithm of checksumAlgorithms) {
    const name = checksumHeader(algorithm);
    const value = header(request, name);
    if (value !== undefined && !isChecksum(algorithm, value)) {
      throw new S3Error("InvalidRequest", {}, `Value for ${name} header is invalid.`);
    }
    if (value !== undefined) found.push({ algorithm, value });
    if (trailer === name) found.push({ algorithm, value: undefined });
  }
  if (found.length > 1) {
    throw new S3Error(
      "InvalidRequest",
      {},
      "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
    );
  }
  if (trailer !== undefined && found[0]?.value !== undefined) {
    throw new S3Error(
      "InvalidRequest",
      {},
      "The value specified in the x-amz-trailer header is not supported",
    );
  }
  requireNamed(named, found[0]);
  return found[0];
}

function requireNamed(named: string | undefined, found: DeclaredChecksum | undefined): void {
  if (named === undefined) return;
  const algorithm = parseAlgorithm(named);
  if (algorithm === undefined) {
    throw new S3Error(
      "InvalidRequest",
      {},
      "Checksum algorithm provided is unsupported. Please try again with any of the valid types: " +
        "[CRC32, CRC32C, CRC64NVME, SHA1, SHA256]",
    );
  }
  if (found === undefined) {
    throw new S3Error(
      "InvalidRequest",
      {},
      "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or " +
        "x-amz-trailer headers were found.",
    );
  }
  if (found.algorithm !== algorithm) {
    throw new S3Error(
      "InvalidRequest",
      {},
      "Value for x-amz-sdk-checksum-algorithm header is invalid.",
    );
  }
}

/** Hashes a payload as it passes, and compares at its end. */
export class BodyCheck {
  readonly #form: PayloadForm;
  readonly #declared: DeclaredChecksum | undefined;
  readonly #contentMd5: string | undefined;
  readonly #md5: Hash | undefined;
  readonly #sha256: Hash | undefined;
  readonly #algorithm: ChecksumAlgorithm | undefined;
  readonly #hasher: Hasher | undefined;
  #size = 0;

  /**
   * Without a declared checksum `fallback` is computed. A quick check computes nothing but what
   * the client has declared, and makes the MD5 up. Throws `S3Error`.
   */
  constructor(request: S3Request, form: PayloadForm, fallback?: ChecksumAlgorithm, quick = false) {
    this.#form = form;
    this.#declared = declaredChecksum(request);
    this.#contentMd5 = header(request, "content-md5");
    if (this.#contentMd5 !== undefined && !isMd5(this.#contentMd5)) {
      throw new S3Error("InvalidDigest", { "Content-MD5": this.#contentMd5 });
    }
    if (this.#contentMd5 !== undefined || !quick) this.#md5 = createHash("md5");
    this.#sha256 = form.sha256 === undefined ? undefined : createHash("sha256");
    this.#algorithm = this.#declared?.algorithm ?? (quick ? undefined : fallback);
    if (this.#algorithm !== undefined) this.#hasher = createHasher(this.#algorithm);
  }

  /** Whether the client sends anything that the payload can be checked by. */
  get declared(): boolean {
    return this.#declared !== undefined || this.#contentMd5 !== undefined;
  }

  update(bytes: Buffer): void {
    this.#size += bytes.length;
    this.#md5?.update(bytes);
    this.#sha256?.update(bytes);
    this.#hasher?.update(bytes);
  }

  /** Compares all that was declared. Throws `S3Error`. */
  finish(): CheckedBody {
    const sha256 = this.#sha256?.digest("hex");
    if (sha256 !== this.#form.sha256) {
      throw new S3Error("XAmzContentSHA256Mismatch", {
        ClientComputedContentSHA256: this.#form.sha256 ?? "",
        S3ComputedContentSHA256: sha256 ?? "",
      });
    }
    const md5 = this.#md5?.digest("hex") ?? randomBytes(16).toString("hex");
    const wantedMd5 = this.#contentMd5;
    if (wantedMd5 !== undefined && Buffer.from(wantedMd5, "base64").toString("hex") !== md5) {
      throw new S3Error("BadDigest", { ExpectedDigest: wantedMd5, CalculatedDigest: md5 });
    }
    const value = this.#hasher?.digest().toString("base64") ?? "";
    this.#compareChecksum(value);
    const algorithm = this.#algorithm;
    const checksum = algorithm === undefined ? undefined : { algorithm, value };
    return { size: this.#size, md5, checksum };
  }

  #compareChecksum(computed: string): void {
    if (this.#declared === undefined) return;
    const { algorithm } = this.#declared;
    const given = this.#declared.value ?? this.#trailer(algorithm);
    if (given === computed) return;
    throw new S3Error(
      "BadDigest",
      {},
      `The ${algorithm} you specified did not match the calculated checksum.`,
    );
  }

  #trailer(algorithm: ChecksumAlgorithm): string {
    const name = checksumHeader(algorithm);
    const value = this.#form.decoder?.trailers.get(name);
    if (value === undefined) throw new S3Error("MalformedTrailerError");
    if (isChecksum(algorithm, value)) return value;
    throw new S3Error("InvalidRequest", {}, `Value for ${name} trailing header is invalid.`);
  }
}

function isMd5(text: string): boolean {
  const bytes = Buffer.from(text, "base64");
  return bytes.length === 16 && bytes.toString("base64") === text;
}
