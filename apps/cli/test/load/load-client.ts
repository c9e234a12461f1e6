import { setTimeout } from "node:timers/promises";

import type { StoreClient } from "@store/client";
import { isStoreError } from "@store/identity";

import { contentOf, randomOf, type Content } from "./contents.ts";
import type { FileEntry, FinalizedEntry } from "./ledger.ts";
import type { Tally } from "./tally.ts";

/** The name whose tags all clients move. */
export const contested = { namespace: "load", name: "contested", tags: ["red", "blue"] } as const;

const kibibyte = 1024;
/** A size of a file, and how often out of a hundred it is that. */
const sizes = [
  [kibibyte, 45],
  [16 * kibibyte, 30],
  [128 * kibibyte, 20],
  [2048 * kibibyte, 5],
] as const;
/** What is over in a moment: a server that ends, or one whose database does. */
const passing: ReadonlySet<string> = new Set([
  "aborted",
  "closed",
  "commit_unknown",
  "database_unavailable",
  "storage_unavailable",
  "upload_locked",
]);
const sharedContents = 50;
const resumablePartBytes = 512 * kibibyte;
const smallBytes = 16 * kibibyte;

export interface LoadClientOptions {
  readonly client: StoreClient;
  readonly tally: Tally;
  /** The name below `load` that is this client's alone. */
  readonly name: string;
  readonly seed: number;
  /** Goes on after failures for the moment, as a client does whose server is restarted. */
  readonly patient: boolean;
  readonly mix: "all" | "reads";
}

/** Somebody who publishes, reads, lists and moves tags, one thing after the other. */
export class LoadClient {
  readonly #client: StoreClient;
  readonly #tally: Tally;
  readonly #name: string;
  readonly #patient: boolean;
  readonly #random: () => number;
  readonly #weights: readonly (readonly [string, () => Promise<string>, number])[];
  readonly #own: FinalizedEntry[] = [];
  #made = 0;

  constructor({ client, tally, name, seed, patient, mix }: LoadClientOptions) {
    this.#client = client;
    this.#tally = tally;
    this.#name = name;
    this.#patient = patient;
    this.#random = randomOf(seed);
    const reads = [
      ["small read", () => this.#smallRead(), 30],
      ["download", () => this.#download(), 15],
      ["list", () => this.#list(), 10],
      ["resolve", () => this.#resolve(), 10],
    ] as const;
    const writes = [
      ["publish", () => this.#publish(), 20],
      ["move tag", () => this.#moveTag(), 8],
      ["resumable upload", () => this.#uploadResumably(), 4],
      ["abandon", () => this.#abandon(), 3],
    ] as const;
    this.#weights = mix === "reads" ? reads : [...reads, ...writes];
  }

  /** Does things until it is told to stop; what is under way then is finished. */
  async run(stopped: AbortSignal): Promise<void> {
    await this.#do("publish", () => this.#publish());
    while (!stopped.aborted) {
      const [what, act] = this.#choose();
      await this.#do(what, act);
    }
  }

  async #do(what: string, act: () => Promise<string>): Promise<void> {
    try {
      this.#tally.count(`${what}: ${await act()}`);
    } catch (error) {
      this.#tally.defect(`${what}: ${isStoreError(error) ? `${error.code} ` : ""}${String(error)}`);
      // A defect that repeats itself should not keep the machine busy.
      await setTimeout(50);
    }
  }

  #choose(): readonly [string, () => Promise<string>, number] {
    const total = this.#weights.reduce((sum, [, , weight]) => sum + weight, 0);
    let left = this.#random() * total;
    return this.#weights.find(([, , weight]) => (left -= weight) < 0) ?? this.#weights[0]!;
  }

  #pick<T>(items: readonly T[]): T | undefined {
    return items[Math.floor(this.#random() * items.length)];
  }

  #content(): Content {
    if (this.#random() < 0.3) {
      const index = Math.floor(this.#random() * sharedContents);
      return contentOf(`shared ${index}`, (1 + (index % 10)) * 10 * kibibyte);
    }
    let left = this.#random() * 100;
    const [sizeBytes] = sizes.find(([, often]) => (left -= often) < 0) ?? sizes[0];
    return contentOf(`${this.#name} ${(this.#made += 1)}`, sizeBytes);
  }

  async #open(): Promise<{ readonly id: string; readonly version: string }> {
    const version = `1.0.${(this.#made += 1)}`;
    const { id } = await this.#client.createPackage({
      namespace: "load",
      name: this.#name,
      version,
    });
    return { id, version };
  }

  async #put(id: string, path: string, { bytes, sha256 }: Content): Promise<FileEntry> {
    const added = await this.#client.ingestFile(id, path, bytes, { expect: { sha256 } });
    this.#expect(added.sha256 === sha256 && added.sizeBytes === bytes.length, `${path} as sent`);
    return { path, sizeBytes: bytes.length, sha256 };
  }

  async #publish(): Promise<string> {
    const { id, version } = await this.#open();
    const files: FileEntry[] = [];
    const open = { id, files };
    this.#tally.ledger.open.push(open);
    const count = 1 + Math.floor(this.#random() * 4);
    for (let index = 0; index < count; index += 1) {
      files.push(await this.#put(id, `file-${index}`, this.#content()));
    }
    await this.#finalize(id, version, files);
    return "done";
  }

  async #finalize(id: string, version: string, files: readonly FileEntry[]): Promise<void> {
    const { manifestDigest } = await this.#client.finalizePackage(id);
    const { finalized, open } = this.#tally.ledger;
    const entry = { id, version, files, digest: manifestDigest };
    finalized.push(entry);
    this.#own.push(entry);
    open.splice(
      open.findIndex((one) => one.id === id),
      1,
    );
  }

  async #abandon(): Promise<string> {
    const { id } = await this.#open();
    await this.#put(id, "file", this.#content());
    await this.#client.abandonPackage(id);
    this.#tally.ledger.abandoned.push(id);
    return "done";
  }

  async #smallRead(): Promise<string> {
    const entry = this.#pick(this.#own);
    const file = entry?.files.find(({ sizeBytes }) => sizeBytes <= smallBytes);
    if (entry === undefined) return "nothing to read";
    const began = performance.now();
    if (file === undefined || this.#random() < 0.5) {
      const found = await this.#client.getPackage(entry.id);
      this.#expect(found.manifestDigest === entry.digest, "the digest that was acknowledged");
    } else {
      await this.#read(entry, file);
    }
    this.#tally.smallReadsMs.push(performance.now() - began);
    return "done";
  }

  async #download(): Promise<string> {
    const entry = this.#pick(this.#own);
    const file = this.#pick(entry?.files ?? []);
    if (entry === undefined || file === undefined) return "nothing to read";
    await this.#read(entry, file);
    return "done";
  }

  /** The client verifies what it reads by its BLAKE3; here it is also what was sent. */
  async #read({ id }: FinalizedEntry, { path, sha256, sizeBytes }: FileEntry): Promise<void> {
    const { file, body } = await this.#client.getFile(id, path);
    let read = 0;
    for await (const chunk of body) read += chunk.length;
    this.#expect(file.sha256 === sha256 && read === sizeBytes, `${path} as it was acknowledged`);
  }

  /** Everything that was acknowledged to this client is in its lists at once. */
  async #list(): Promise<string> {
    const owned = this.#own.length;
    const versions = new Set<string>();
    let cursor: string | undefined;
    do {
      const page = await this.#client.listVersions("load", this.#name, {
        limit: 100,
        ...(cursor === undefined ? {} : { cursor }),
      });
      for (const { version } of page.items) versions.add(version);
      ({ cursor } = page);
    } while (cursor !== undefined);
    const lost = this.#own.slice(0, owned).filter(({ version }) => !versions.has(version));
    this.#expect(lost.length === 0, `versions ${lost.map(({ version }) => version).join(", ")}`);
    await this.#client.listPackages({ namespace: "load" }, { limit: 20 });
    return "done";
  }

  async #resolve(): Promise<string> {
    const entry = this.#pick(this.#own);
    if (entry === undefined) return "nothing to read";
    const found = await this.#client.resolve(`load/${this.#name}@${entry.version}`);
    this.#expect(found.package.id === entry.id, `${entry.version} to resolve`);
    return "done";
  }

  async #moveTag(): Promise<string> {
    const { namespace, name, tags } = contested;
    const tag = this.#pick(tags) ?? tags[0];
    const { items } = await this.#client.listVersions(namespace, name);
    const from =
      (await this.#client.listTags(namespace, name)).items.find((one) => one.tag === tag)
        ?.packageId ?? null;
    const to = this.#pick(items.filter(({ id }) => id !== from))?.id;
    if (to === undefined) return "nothing to move to";
    try {
      await this.#client.setTag({ packageId: to, tag }, { expected: from });
    } catch (error) {
      if (isStoreError(error, "tag_conflict")) return "tag_conflict";
      throw error;
    }
    this.#tally.ledger.moves.push({ tag, from, to });
    return "done";
  }

  async #uploadResumably(): Promise<string> {
    const sizeBytes = Math.floor((1 + this.#random() * 2) * 1024 * kibibyte);
    const content = contentOf(`${this.#name} ${(this.#made += 1)}`, sizeBytes);
    const upload = await this.#client.createUpload({ sizeBytes });
    let acknowledged = 0;
    while (acknowledged < sizeBytes) {
      const part = content.bytes.subarray(acknowledged, acknowledged + resumablePartBytes);
      try {
        const { offsetBytes } = await this.#client.appendUpload(upload.id, acknowledged, part);
        this.#expect(offsetBytes === acknowledged + part.length, "the whole part to be durable");
        acknowledged = offsetBytes;
      } catch (error) {
        acknowledged = await this.#offsetAfter(error, upload.id, acknowledged);
      }
    }
    const { id, version } = await this.#open();
    const files: FileEntry[] = [];
    this.#tally.ledger.open.push({ id, files });
    const added = await this.#client.addFile(id, "large", { upload: upload.id });
    this.#expect(added.sha256 === content.sha256, "an upload with the digest of what was sent");
    files.push({ path: "large", sizeBytes, sha256: content.sha256 });
    await this.#finalize(id, version, files);
    return "done";
  }

  /** Where an upload goes on: never before what was acknowledged. */
  async #offsetAfter(error: unknown, uploadId: string, acknowledged: number): Promise<number> {
    const isPassing = isStoreError(error) && passing.has(error.code);
    if (!this.#patient || !isPassing) throw error;
    await setTimeout(100);
    const offset = await this.#client.getUploadOffset(uploadId);
    this.#expect(offset >= acknowledged, `${acknowledged} bytes of an upload, not ${offset}`);
    if (offset > 0) this.#tally.resumed += 1;
    return offset;
  }

  #expect(holds: boolean, what: string): void {
    if (!holds) throw new Error(`${this.#name} expected ${what}`);
  }
}
