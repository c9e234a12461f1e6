import { pathAncestors, StoreError } from "@store/identity";
import type { ContentAddress } from "@store/identity";
import { fileContentAddress } from "./accessors.ts";
import { compareBytewise } from "./bytewise.ts";
import type { ManifestFile, ManifestReceipt } from "./manifest.ts";

interface KnownObject {
  readonly file: ManifestFile;
  isStored: boolean;
}

/**
 * The rules between the entries of one manifest. Entries are given in their order, all files
 * before all receipts, and each call throws `invalid_manifest` where a rule is broken:
 *
 * - files are sorted by path, bytewise on UTF-8, and no path is given twice or is a folder of
 *   another;
 * - files with one content address agree in size and SHA-256;
 * - receipts are sorted by (content address, backend) and unique, name objects of the files
 *   only, and every object of a file has at least one.
 */
export class ManifestRules {
  readonly #paths = new Set<string>();
  readonly #objects = new Map<ContentAddress, KnownObject>();
  #lastPath: string | undefined;
  #lastReceipt: ManifestReceipt | undefined;
  #storedObjects = 0;

  addFile(file: ManifestFile): void {
    const { path } = file;
    const last = this.#lastPath;
    if (last !== undefined && compareBytewise(last, path) >= 0) {
      const rule =
        last === path
          ? "comes twice; remove one"
          : "comes after a path that sorts behind it; sort files by compareBytewise";
      throw invalid(`the path ${JSON.stringify(path)} ${rule}`, path);
    }
    // A folder sorts before everything in it, so one look back finds every conflict.
    for (const folder of pathAncestors(path)) {
      if (!this.#paths.has(folder)) continue;
      const both = `${JSON.stringify(folder)} and ${JSON.stringify(path)}`;
      throw invalid(`of ${both} one is a folder of the other; rename one`, path);
    }
    this.#paths.add(path);
    this.#lastPath = path;
    this.#addObject(file);
  }

  addReceipt(receipt: ManifestReceipt): void {
    const { content_address: address, backend } = receipt;
    const last = this.#lastReceipt;
    if (last && !comesBefore(last, receipt)) {
      throw invalid(
        `the receipt of ${address} in ${backend} is repeated or out of order;` +
          " sort receipts by content address and backend",
      );
    }
    const object = this.#objects.get(address);
    if (!object) throw invalid(`the receipt of ${address} belongs to none of the files`);
    if (!object.isStored) this.#storedObjects += 1;
    object.isStored = true;
    this.#lastReceipt = receipt;
  }

  /** Called once all entries were given. */
  complete(): void {
    if (this.#storedObjects === this.#objects.size) return;
    const missing = this.#objects.values().find(({ isStored }) => !isStored);
    if (!missing) return;
    const { path } = missing.file;
    throw invalid(`the object of ${JSON.stringify(path)} has no storage receipt`, path);
  }

  #addObject(file: ManifestFile): void {
    const address = fileContentAddress(file);
    const known = this.#objects.get(address);
    if (!known) {
      this.#objects.set(address, { file, isStored: false });
      return;
    }
    const { digests, size } = known.file;
    const isSame = size === file.size && areEqual(digests.sha256, file.digests.sha256);
    if (isSame) return;
    throw invalid(
      `${JSON.stringify(file.path)} and ${JSON.stringify(known.file.path)} have one BLAKE3 digest` +
        " but differ in size or SHA-256; hash them again",
      file.path,
    );
  }
}

function comesBefore(earlier: ManifestReceipt, later: ManifestReceipt): boolean {
  if (earlier.content_address !== later.content_address) {
    return earlier.content_address < later.content_address;
  }
  return earlier.backend < later.backend;
}

function areEqual(left: Uint8Array, right: Uint8Array): boolean {
  return left.every((byte, index) => byte === right[index]);
}

function invalid(rule: string, path?: string): StoreError {
  return new StoreError("invalid_manifest", `The manifest is not valid: ${rule}.`, {
    context: path === undefined ? {} : { path },
  });
}
