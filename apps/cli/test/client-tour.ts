import { createHash } from "node:crypto";

import { createClient, type StoreClient } from "@store/client";
import { nodeTransport } from "@store/client/node";
import { isStoreError, parseContentAddress, type ContentAddress } from "@store/identity";
import type { AddedFile } from "@store/api";

/** What a tour takes along. */
export interface TourFiles {
  readonly hello: Uint8Array;
  readonly run: Uint8Array;
  /** Two halves. */
  readonly large: readonly [Uint8Array, Uint8Array];
}

export interface ClientTour {
  /** A line for each thing that was learnt; the same as those of the tour by curl. */
  readonly lines: readonly string[];
  readonly archives: Readonly<Record<Format, Uint8Array>>;
  readonly manifest: Uint8Array;
}

const formats = ["tar", "tar.gz", "zip"] as const;
type Format = (typeof formats)[number];

/** The steps of `programs/tour.sh`, by `@store/client` alone. */
export async function tourByClient(
  url: string,
  setupToken: string,
  files: TourFiles,
): Promise<ClientTour> {
  using transport = Object.assign(nodeTransport(), {
    [Symbol.dispose]: () => transport.close(),
  });
  const tour = new Tour(url, transport, files);
  const ada = await tour.letIn(setupToken);
  await tour.publish();
  await tour.name();
  await tour.read();
  const archives = await tour.archive();
  const manifest = await tour.inspect();
  await tour.keep();
  await ada.logout();
  await tour.refused(() => ada.me());
  return { lines: tour.lines, archives, manifest };
}

class Tour {
  readonly lines: string[] = [];
  readonly #url: string;
  readonly #transport: ReturnType<typeof nodeTransport>;
  readonly #files: TourFiles;
  #client: StoreClient;
  #id = "";

  constructor(url: string, transport: ReturnType<typeof nodeTransport>, files: TourFiles) {
    this.#url = url;
    this.#transport = transport;
    this.#files = files;
    this.#client = this.#as();
  }

  #as(token?: string): StoreClient {
    const credential = token === undefined ? {} : { credential: { token } };
    return createClient({ url: this.#url, transport: this.#transport, ...credential });
  }

  #say(...words: readonly unknown[]): void {
    this.lines.push(words.map(String).join(" "));
  }

  #added({ path, sizeBytes, executable, address, sha256, deduplicated }: AddedFile): void {
    this.#say("added", path, sizeBytes, executable, address, sha256, deduplicated);
  }

  async refused(call: () => Promise<unknown>, as = "refused"): Promise<void> {
    try {
      await call();
    } catch (error) {
      if (!isStoreError(error)) throw error;
      this.#say(as, error.code);
      return;
    }
    throw new Error("It was not refused.");
  }

  async letIn(setupToken: string): Promise<StoreClient> {
    const account = { username: "ada", password: "a horse of brass runs" };
    this.#say("user", (await this.#as(setupToken).createUser(account)).username);
    const ada = this.#as();
    await ada.login(account);
    const me = await ada.me();
    this.#say(`I am ${me.username}, a ${me.kind}`);
    const token = await ada.createToken({ name: "tour", scopes: ["admin:acme/*"] });
    this.#client = this.#as(token.token);
    this.#say("a token with", ...token.scopes);
    return ada;
  }

  async publish(): Promise<void> {
    const client = this.#client;
    const { hello, run } = this.#files;
    const metadata = { made: { by: "tour" } };
    const wanted = { namespace: "acme", name: "tour", version: "1.0.0", metadata };
    const { id } = await client.createPackage(wanted);
    this.#id = id;
    const missing = await client.listMissing([sha256Of(hello)]);
    this.#say(`known before: ${missing.length} missing`);
    const one = await client.ingestFile(id, "hello.txt", hello, { mediaType: "text/plain" });
    this.#added(one);
    const sha256 = sha256Of(run);
    this.#added(
      await client.ingestFile(id, "bin/run", run, { executable: true, expect: { sha256 } }),
    );
    this.#added(await client.addFile(id, "docs/copy of hello.txt", one.address));
    await this.refused(() => client.ingestFile(id, "hello.txt", run));
    const expect = { sha256: sha256Of(hello) };
    await this.refused(() => client.ingestFile(id, "wrong", run, { expect }));
    this.#added(await client.addFile(id, "large.bin", { upload: await this.#upload() }));
    const { package: made } = await client.finalizePackage(id);
    this.#say("finalized acme/tour@1.0.0", made.fileCount, "files", made.sizeBytes, "bytes");
    await this.refused(() => client.createPackage(wanted));
  }

  async #upload(): Promise<string> {
    const client = this.#client;
    const [first, second] = this.#files.large;
    const { id } = await client.createUpload({ sizeBytes: first.length + second.length });
    await client.appendUpload(id, 0, first);
    await this.refused(() => client.appendUpload(id, 0, second));
    const offset = await client.getUploadOffset(id);
    this.#say("at", offset);
    await client.appendUpload(id, offset, second);
    this.#say("upload", (await client.getUpload(id)).status);
    return id;
  }

  async name(): Promise<void> {
    const client = this.#client;
    const target = { packageId: this.#id, tag: "stable" };
    const named = ({ name, version }: { name: string; version: string }) =>
      `acme/${name}@${version}`;
    this.#say("tag", named(await client.setTag(target, { expected: null })));
    await this.refused(() => client.setTag(target, { expected: null }));
    this.#say("tag", named(await client.setTag(target, { expected: this.#id })));
    this.#say("resolved", named((await client.resolve("acme/tour:stable")).package));
    const names = await client.listNames({ namespace: "acme" });
    this.#say("names", ...names.items.map(({ name }) => name), "");
    const versions = await client.listVersions("acme", "tour");
    this.#say("versions", ...versions.items.map(({ version }) => version), "");
    const found = await client.listPackages({ q: "tou" });
    this.#say("found", ...found.items.map(named), "");
    await this.refused(() => client.resolve("other/tour"), "another");
  }

  async read(): Promise<void> {
    const client = this.#client;
    for (const { path } of (await client.listFiles(this.#id)).items) {
      const { body } = await client.getFile(this.#id, path);
      this.#say("read", encodeURI(path), hex(await whole(body)));
    }
    const range = { start: 1, end: 4 };
    const { body } = await client.getFile(this.#id, "hello.txt", { range });
    this.#say("part", new TextDecoder().decode(await whole(body)));
    const object = await client.openObject(sha256Of(this.#files.hello));
    this.#say("object", hex(await whole(object.body)));
  }

  async archive(): Promise<Record<Format, Uint8Array>> {
    const archives: [Format, Uint8Array][] = [];
    for (const format of formats) {
      const bytes = await whole(await this.#client.getArchive(this.#id, format));
      archives.push([format, bytes]);
      this.#say(`archive.${format}`, hex(bytes));
    }
    return Object.fromEntries(archives) as Record<Format, Uint8Array>;
  }

  async inspect(): Promise<Uint8Array> {
    const client = this.#client;
    const { problems } = await client.verifyPackage(this.#id);
    this.#say("verified", `"problems":${JSON.stringify(problems)}}`);
    this.#say("yanked", (await client.yankPackage(this.#id, { reason: "a tour" })).status);
    await this.refused(() => client.resolve("acme/tour"), "latest");
    this.#say("unyanked", (await client.unyankPackage(this.#id)).status);
    return await client.getManifestBytes(this.#id, "jcs");
  }

  async keep(): Promise<void> {
    const client = this.#client;
    const kept = await client.setRetention(this.#id, "release");
    this.#say("kept as", kept.retentionClass);
    const hold = await client.placeHold(this.#id, "a tour");
    const holds = async (filter: { readonly released?: boolean } = {}) =>
      (await client.listHolds({ packageId: this.#id, ...filter })).items.length;
    this.#say("holds", await holds());
    await client.releaseHold(hold.id);
    this.#say("holds", await holds({ released: false }));
    const events = await client.readEvents({ subject: "acme/tour" });
    this.#say("events", ...events.items.map(({ type }) => type), "");
  }
}

export async function whole(source: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  return Buffer.concat(await Array.fromAsync(source));
}

function hex(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function sha256Of(bytes: Uint8Array): ContentAddress {
  return parseContentAddress(`sha256:${hex(bytes)}`);
}
