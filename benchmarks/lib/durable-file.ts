import { close, fsync, mkdirSync, open, rename, write } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const openFile = promisify(open);
const writeFile = promisify(write);
const syncFile = promisify(fsync);
const closeFile = promisify(close);
const renameFile = promisify(rename);

/**
 * Creates files as durably as a file system lets one, and does nothing else: write to a file in
 * `staging`, fsync, rename to its place, fsync the folder. Files are spread over 65,536 folders,
 * two levels of 256, as objects are.
 */
export class DurableFiles {
  readonly #root: string;
  #count = 0;

  constructor(root: string) {
    this.#root = root;
    mkdirSync(join(root, "staging"), { recursive: true });
    makeShards(root);
  }

  async create(bytes: Uint8Array): Promise<void> {
    this.#count += 1;
    const staged = join(this.#root, "staging", String(this.#count));
    // A multiplier without a common divisor visits all folders before it comes back to one.
    const shard = ((this.#count * 40_503) % 65_536).toString(16).padStart(4, "0");
    const folder = join(this.#root, shard.slice(0, 2), shard.slice(2));
    const file = await openFile(staged, "wx", 0o600);
    await writeFile(file, bytes, 0, bytes.length, null);
    await syncFile(file);
    await closeFile(file);
    await renameFile(staged, join(folder, String(this.#count)));
    const opened = await openFile(folder, "r");
    await syncFile(opened);
    await closeFile(opened);
  }
}

/** Makes the 65,536 folders of two levels below `root`. */
export function makeShards(root: string): void {
  const names = Array.from({ length: 256 }, (_, index) => index.toString(16).padStart(2, "0"));
  for (const first of names) {
    for (const second of names) {
      mkdirSync(join(root, first, second), { recursive: true, mode: 0o700 });
    }
  }
}
