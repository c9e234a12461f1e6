import { randomBytes, randomUUID } from "node:crypto";
import {
  type ContentAddress,
  type DigestAlgorithm,
  digestAlgorithms,
  isContentAddress,
  parseContentAddress,
} from "@store/identity";

/**
 * Where everything is in the bucket. Keys are made only of the prefix, a parsed address and checked
 * ids; what has another shape is somebody else's.
 *
 *     <prefix>/format.json                              names this layout and its version
 *     <prefix>/<algorithm>/<hex 0-2>/<hex 2-4>/<hex>    the object with that address
 *     <prefix>/staging/<id>/<writer>/<offset>-<size>    a piece of the bytes of a staged id
 *     <prefix>/staging/<id>/<writer>/final              the bytes of that id are final
 *     <prefix>/uploads/<algorithm>-<hex>/<id>           a multipart upload to that object
 *
 * A writer is `<generation>.<random>.<start>`: whoever went on with the bytes at offset `start`.
 */
export const layoutName = "store-objects-s3";
export const layoutVersion = 1;

export type Key = string;

/** The algorithms in the order of their objects' addresses. */
export const algorithms: readonly DigestAlgorithm[] = digestAlgorithms.toSorted();

/** Whoever writes pieces: the later one has the higher generation. */
export interface Writer {
  readonly generation: number;
  readonly random: string;
  readonly start: number;
}

/** What a key below `staging/` says. */
export interface StagingKey {
  readonly id: string;
  readonly writer: Writer;
  /** Where the piece begins; undefined for the mark that the bytes are final. */
  readonly offset: number | undefined;
}

/** What a key below `uploads/` says. */
export interface UploadKey {
  readonly id: string;
  readonly address: ContentAddress;
}

const OFFSET_DIGITS = 13;
const uuid = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";
const target = "(?<algorithm>[a-z0-9]{1,16})-(?<hex>[0-9a-f]{64})";
const idShape = new RegExp(
  `^(?<lease>[a-z0-9-]{1,64})\\.${uuid}(?:\\.${target})?(?:\\.(?<storageClass>[A-Z_]{1,32}))?$`,
);
const writerShape = /^(?<generation>\d{6})\.(?<random>[0-9a-f]{12})\.(?<start>\d{13})$/;
const pieceShape = /^(?:(?<offset>\d{13})-\d{13}|final)$/;
const targetShape = new RegExp(`^${target}$`);

/** What a staged id says of its bytes, for whoever goes on with them. */
export interface StagedName {
  readonly lease: string;
  /** The address that was claimed, by which an upload to it is found. */
  readonly claim: ContentAddress | undefined;
  /** The storage class that the object shall have. */
  readonly storageClass: string | undefined;
}

export function newStagedId({ lease, claim, storageClass }: StagedName): string {
  const target = claim === undefined ? "" : `.${targetName(claim)}`;
  return `${lease}.${randomUUID()}${target}${storageClass === undefined ? "" : `.${storageClass}`}`;
}

/** What a staged id says, or undefined if `id` is none. */
export function partsOfId(id: string): StagedName | undefined {
  const groups = typeof id === "string" ? idShape.exec(id)?.groups : undefined;
  const { lease, algorithm, hex, storageClass } = groups ?? {};
  if (lease === undefined) return undefined;
  if (algorithm === undefined) return { lease, claim: undefined, storageClass };
  const claim = `${algorithm}:${hex ?? ""}`;
  return isContentAddress(claim) ? { lease, claim, storageClass } : undefined;
}

/** A writer that begins where the others have come to. */
export function newWriter(generation: number, start: number): Writer {
  return { generation, random: randomBytes(6).toString("hex"), start };
}

/** The keys below one prefix. */
export class Layout {
  readonly #root: string;

  constructor(prefix: string) {
    this.#root = prefix === "" ? "" : `${prefix}/`;
  }

  get format(): Key {
    return `${this.#root}format.json`;
  }

  /** Throws `invalid_digest` for what is no content address. */
  object(address: ContentAddress): Key {
    const [algorithm = "", hex = ""] = parseContentAddress(address).split(":");
    return `${this.#root}${algorithm}/${hex.slice(0, 2)}/${hex.slice(2, 4)}/${hex}`;
  }

  objectsOf(algorithm: DigestAlgorithm): Key {
    return `${this.#root}${algorithm}/`;
  }

  addressOf(key: Key): ContentAddress | undefined {
    const [algorithm, , , hex] = key.slice(this.#root.length).split("/");
    const address = `${algorithm ?? ""}:${hex ?? ""}`;
    return isContentAddress(address) && this.object(address) === key ? address : undefined;
  }

  get staging(): Key {
    return `${this.#root}staging/`;
  }

  /** What all pieces of an id begin with. The id must have passed {@link partsOfId}. */
  stagingOf(id: string): Key {
    return `${this.staging}${id}/`;
  }

  /** The size is in it so that a longer piece never takes the place of one that somebody knows. */
  piece(id: string, writer: Writer, offset: number, sizeBytes: number): Key {
    return `${this.#writer(id, writer)}/${padded(offset)}-${padded(sizeBytes)}`;
  }

  finalMark(id: string, writer: Writer): Key {
    return `${this.#writer(id, writer)}/final`;
  }

  #writer(id: string, { generation, random, start }: Writer): Key {
    const number = String(generation).padStart(6, "0");
    return `${this.stagingOf(id)}${number}.${random}.${padded(start)}`;
  }

  stagingKey(key: Key): StagingKey | undefined {
    if (!key.startsWith(this.staging)) return undefined;
    const [id = "", name = "", last = "", ...rest] = key.slice(this.staging.length).split("/");
    const writer = writerShape.exec(name)?.groups;
    const piece = pieceShape.exec(last)?.groups;
    if (partsOfId(id) === undefined || writer === undefined || piece === undefined)
      return undefined;
    if (rest.length > 0) return undefined;
    const { generation, random = "", start } = writer;
    return {
      id,
      writer: { generation: Number(generation), random, start: Number(start) },
      offset: piece.offset === undefined ? undefined : Number(piece.offset),
    };
  }

  get uploads(): Key {
    return `${this.#root}uploads/`;
  }

  /** What the records of all uploads to one object begin with. */
  uploadsTo(address: ContentAddress): Key {
    return `${this.uploads}${targetName(address)}/`;
  }

  upload(address: ContentAddress, id: string): Key {
    return `${this.uploadsTo(address)}${id}`;
  }

  uploadKey(key: Key): UploadKey | undefined {
    if (!key.startsWith(this.uploads)) return undefined;
    const [name = "", id = "", ...rest] = key.slice(this.uploads.length).split("/");
    const { algorithm, hex } = targetShape.exec(name)?.groups ?? {};
    const address = `${algorithm ?? ""}:${hex ?? ""}`;
    if (!isContentAddress(address) || partsOfId(id) === undefined || rest.length > 0) {
      return undefined;
    }
    return { id, address };
  }
}

function targetName(address: ContentAddress): string {
  return parseContentAddress(address).replace(":", "-");
}

function padded(offset: number): string {
  return String(offset).padStart(OFFSET_DIGITS, "0");
}
