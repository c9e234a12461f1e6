import { createHash } from "node:crypto";

import { isPrerelease, versionSortKey } from "@store/identity";

/** A row of a view table, by column. Bytes are `Uint8Array`. */
export type ViewRow = Readonly<Record<string, string | number | null | Uint8Array>>;

export interface NamedPackage {
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  readonly version: string;
  readonly digest: string;
}

const time = "2026-01-02T03:04:05.678Z";
const bigFileCount = 20_000;

/**
 * A made-up catalogue, always the same for the same size. A tenth of its packages are versions of
 * one name, a twentieth are builds of another, whose versions are no semver, and a twentieth are
 * previews of a third, all above its releases; a fifth belong to names with 200 versions, a fifth
 * to names with 20, and the rest to names with three. One in ten
 * versions is a prerelease, one in 5,000 was yanked, and one in 5,000 is still open.
 */
export class Catalogue {
  readonly size: number;
  readonly many = { namespace: "acme", name: "everything" } as const;
  readonly builds = { namespace: "acme", name: "nightly" } as const;
  readonly previews = { namespace: "acme", name: "preview" } as const;
  /** Where each name's packages begin, in the order of names. */
  readonly #starts: readonly number[];
  /** Visits every package once, names mixed, as they would come in time. */
  readonly #stride: number;

  constructor(size: number) {
    this.size = size;
    this.#starts = startsOf(size);
    this.#stride = coprimeOf(size);
  }

  get nameCount(): number {
    return this.#starts.length;
  }

  /** The package that was created as number `index`, from 0. */
  package(index: number): NamedPackage {
    const slot = (index * this.#stride) % this.size;
    const at = this.#nameAt(slot);
    const within = slot - (this.#starts[at] ?? 0);
    return {
      ...this.#nameOf(at),
      id: `01900000-0000-7000-8000-${index.toString(16).padStart(12, "0")}`,
      version: versionOf(at, within),
      digest: `blake3:${hash(`manifest ${index}`).toString("hex")}`,
    };
  }

  /** Of a package by its id. */
  finalizedSeqOf(id: string): number {
    return Number.parseInt(id.slice(-12), 16) * 3 + 3;
  }

  isOpen(index: number): boolean {
    return index % 5000 === 13;
  }

  *packages(): Generator<ViewRow> {
    for (let index = 0; index < this.size; index += 1) yield this.#packageRow(index);
  }

  /** A file for each package, and many for the first. */
  *files(): Generator<ViewRow> {
    for (let index = 0; index < this.size; index += 1) {
      yield fileRow(this.package(index).id, "bin/app", index);
    }
    for (let index = 0; index < bigFileCount; index += 1) {
      const path = `lib/folder-${index % 100}/module-${index}.js`;
      yield fileRow(this.package(0).id, path, index);
    }
  }

  *names(): Generator<ViewRow> {
    for (let at = 0; at < this.nameCount; at += 1) {
      const end = this.#starts[at + 1] ?? this.size;
      const finalized = { finalized_count: end - (this.#starts[at] ?? 0) };
      yield { ...this.#nameOf(at), created_at: time, updated_at: time, ...finalized };
    }
  }

  /** The tag `stable` on the last package that came for each name. */
  *tags(): Generator<ViewRow> {
    for (const [index, { namespace, name, id }] of this.#lastOfNames()) {
      const set = { set_at: time, set_by: "benchmark", set_seq: index };
      yield { namespace, name, tag: "stable", package_id: id, ...set };
    }
  }

  #lastOfNames(): Map<number, NamedPackage> {
    const last = new Map<string, number>();
    for (let index = 0; index < this.size; index += 1) {
      const { namespace, name } = this.package(index);
      if (!this.isOpen(index)) last.set(`${namespace}/${name}`, index);
    }
    return new Map([...last.values()].map((index) => [index, this.package(index)]));
  }

  #packageRow(index: number): ViewRow {
    const { id, digest, ...coordinates } = this.package(index);
    const open = this.isOpen(index);
    const yanked = index % 5000 === 7;
    return {
      package_id: id,
      ...coordinates,
      variant: "",
      version_sort_key: versionSortKey(coordinates.version),
      prerelease: Number(isPrerelease(coordinates.version)),
      status: open ? "open" : yanked ? "yanked" : "finalized",
      revision: 2,
      created_at: time,
      created_seq: index * 3 + 1,
      created_by: "benchmark",
      metadata: null,
      metadata_schema: null,
      retention_class: "standard",
      source: "https://example.org/acme/app",
      build: null,
      open_expires_at: open ? time : null,
      finalized_at: open ? null : time,
      finalized_seq: open ? null : index * 3 + 3,
      manifest_digest: open ? null : digest,
      manifest_size: open ? null : 420,
      file_count: 1,
      size_bytes: 4096,
      yanked_at: yanked ? time : null,
      yank_reason: yanked ? "superseded" : null,
    };
  }

  #nameOf(at: number): { readonly namespace: string; readonly name: string } {
    if (at === 0) return this.many;
    if (at === 1) return this.builds;
    if (at === 2) return this.previews;
    return { namespace: `team-${at % 500}`, name: `package-${at}` };
  }

  /** The name that a slot belongs to, by halving. */
  #nameAt(slot: number): number {
    let low = 0;
    let high = this.#starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((this.#starts[middle] ?? 0) <= slot) low = middle;
      else high = middle;
    }
    return low;
  }
}

function startsOf(size: number): number[] {
  const starts = [0, size * 0.1, size * 0.15];
  const parts = [
    { from: 0.2, to: 0.4, versions: 200 },
    { from: 0.4, to: 0.6, versions: 20 },
    { from: 0.6, to: 1, versions: 3 },
  ];
  for (const { from, to, versions } of parts) {
    for (let start = size * from; start < size * to; start += versions) {
      starts.push(Math.round(start));
    }
  }
  return starts;
}

function coprimeOf(size: number): number {
  // A prime: it has no divisor in common with any size that it does not divide.
  const prime = 611_953;
  if (size % prime === 0) throw new Error(`The size may not be a multiple of ${prime}.`);
  return prime;
}

function versionOf(at: number, within: number): string {
  if (at === 1) return `build_${within}`;
  if (at === 2 && within >= 10) return `1.0.0-preview.${within}`;
  return semverOf(within);
}

function semverOf(within: number): string {
  const version = `${Math.floor(within / 100)}.${Math.floor(within / 10) % 10}.${within % 10}`;
  return within % 10 === 9 ? `${version}-rc.1` : version;
}

function fileRow(packageId: string, path: string, index: number): ViewRow {
  const digest = hash(`object ${index}`);
  return {
    package_id: packageId,
    path,
    size_bytes: 4096,
    media_type: null,
    executable: 0,
    digest_algorithm: "blake3",
    digest_primary: digest,
    digest_sha256: digest,
    content_address: `blake3:${digest.toString("hex")}`,
    backend: "primary",
    stored_at: time,
    added_seq: index * 3 + 2,
  };
}

/** Any 32 bytes will do for a digest; SHA-256 is at hand. */
function hash(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
