import { StoreError } from "@store/identity";
import type { ContentAddress } from "@store/identity";
import { fileContentAddress } from "./accessors.ts";
import { compareBytewise } from "./bytewise.ts";
import type { ManifestFile, ManifestReceipt } from "./manifest.ts";

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
  /** The paths before the last one that it begins with, the shortest first, and itself. */
  readonly #beginnings: string[] = [];
  /** A file of each object for which no receipt has come yet. */
  readonly #unstored = new Map<ContentAddress, ManifestFile>();
  #lastPath: string | undefined;
  #lastReceipt: ManifestReceipt | undefined;

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
    this.#lastPath = path;
    this.#assertNoFolder(path);
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
    const isKnown = address === last?.content_address || this.#unstored.delete(address);
    if (!isKnown) throw invalid(`the receipt of ${address} belongs to none of the files`);
    this.#lastReceipt = receipt;
  }

  /** Called once all entries were given. */
  complete(): void {
    for (const { path } of this.#unstored.values()) {
      throw invalid(`the object of ${JSON.stringify(path)} has no storage receipt`, path);
    }
  }

  /**
   * A folder is a beginning of every path in it and sorts before them all, though not always
   * right before them: `a`, `a-b`, `a/b`. What the path at hand does not begin with, no later one
   * will either.
   */
  #assertNoFolder(path: string): void {
    const beginnings = this.#beginnings;
    while (!path.startsWith(beginnings.at(-1) ?? "")) beginnings.pop();
    for (const earlier of beginnings) {
      if (path[earlier.length] !== "/") continue;
      const both = `${JSON.stringify(earlier)} and ${JSON.stringify(path)}`;
      throw invalid(`of ${both} one is a folder of the other; rename one`, path);
    }
    beginnings.push(path);
  }

  #addObject(file: ManifestFile): void {
    const address = fileContentAddress(file);
    const known = this.#unstored.get(address);
    if (!known) {
      this.#unstored.set(address, file);
      return;
    }
    const isSame = known.size === file.size && areEqual(known.digests.sha256, file.digests.sha256);
    if (isSame) return;
    throw invalid(
      `${JSON.stringify(file.path)} and ${JSON.stringify(known.path)} have one BLAKE3 digest` +
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
