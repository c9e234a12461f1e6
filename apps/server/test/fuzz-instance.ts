import { openAccount, operator, type Account } from "./access-world.ts";
import { bytes } from "./access-fixtures.ts";
import type { Known } from "./fuzz-values.ts";
import type { WholeServer } from "./whole-server.ts";

const here = { address: "127.0.0.1" };

/** What stands in an instance that is fuzzed, made anew before each operation. */
export class FuzzedInstance {
  readonly #server: WholeServer;
  readonly #texts = new Map<string, readonly string[]>();
  #victim: Account | undefined;
  #count = 0;

  constructor(server: WholeServer) {
    this.#server = server;
  }

  /** What the instance knows by a name, of a parameter, a header or a member. */
  readonly known: Known = (name) => this.#texts.get(name) ?? fixed[name] ?? [];

  /** Makes one of everything anew. */
  async renew(admin: Account): Promise<void> {
    const { access } = this.#server;
    const registry = this.#server.registry.as(`token:${admin.tokenId}`);
    this.#count += 1;
    const version = `1.${this.#count}.0`;
    const coordinates = { namespace: "acme", name: "app", version };
    const finalized = await registry.createPackage(coordinates);
    const file = await registry.ingestFile(finalized.id, "bin/app", bytes(`app ${version}`));
    await registry.finalizePackage(finalized.id);
    const opened = await registry.createPackage({ ...coordinates, version: `${version}-open` });
    await registry.ingestFile(opened.id, "bin/app", bytes(`open ${version}`));
    await registry.setTag({ packageId: finalized.id, tag: "stable" });
    const hold = await registry.placeHold(opened.id, "a case");
    const complete = await registry.createUpload({ sizeBytes: 5 });
    await registry.appendUpload(complete.id, 0, bytes("bytes"));
    const upload = await registry.createUpload({ sizeBytes: 1_000 });
    const victim = (this.#victim ??= await openAccount(this.#server, "read:acme/*"));
    await access.enableUser(operator, victim.username);
    const token = await access.createToken(operator, { name: "any", owner: victim.username });
    await access.setPassword(operator, victim.username, victim.password);
    const session = await access.login(victim, here);
    const { manifestDigest = "" } = await registry.getPackage(finalized.id);
    const list = await registry.listPackages({}, { limit: 1 });
    const ids = [finalized.id, opened.id, opened.id];
    const addresses = [file.address, file.sha256, manifestDigest];
    this.#set({
      packageId: ids,
      package_id: ids,
      holdId: [hold.id],
      uploadId: [upload.id, upload.id, complete.id],
      "store-upload": [complete.id, upload.id],
      tokenId: [token.id],
      username: [victim.username],
      password: [victim.password, "another stable, of horses"],
      current_password: [victim.password],
      refresh_token: [session.refreshToken],
      version: [version, `${version}-open`, `2.0.${this.#count}`],
      address: addresses,
      addresses,
      expect: addresses,
      "store-object": addresses,
      ref: ["acme/app", `acme/app@${version}`, "acme/app:stable", `acme/app@${manifestDigest}`],
      "if-match": [`"${finalized.id}"`, `"${file.address}"`, "*", 'W/"a", "b"'],
      "if-none-match": [`"${file.address}"`, "*"],
      "if-range": [`"${file.address}"`],
      cursor: list.cursor === undefined ? [] : [list.cursor],
    });
  }

  #set(texts: Readonly<Record<string, readonly string[]>>): void {
    for (const [name, values] of Object.entries(texts)) this.#texts.set(name, values);
  }
}

const fixed: Readonly<Record<string, readonly string[]>> = {
  namespace: ["acme", "acme", "beta"],
  name: ["app", "app", "other"],
  variant: ["linux-amd64"],
  tag: ["stable", "latest"],
  path: ["bin/app", "bin/app", "lib/new", "bin", "bin/app/below"],
  reference: ["build", "build@1"],
  metadata_schema: ["build", "build@1"],
  class: ["audit", "permanent"],
  retention_class: ["standard", "audit"],
  scopes: ["read:*", "write:acme/*", "metrics", "admin:acme/app"],
  new_password: ["a horse of brass, again"],
  limit: ["1", "10", "1000"],
  since: ["0", "3", "9007199254740991"],
  type: ["v1.package.finalized", "v1.package.finalized,v1.tag.set"],
  subject: ["acme/app", "acme", "instance"],
  q: ["a", "app", "ac"],
  backend: ["primary", "spare", "nowhere"],
  from: ["spare", "spare", "primary", "nowhere"],
  to: ["spare", "primary", "nowhere"],
  "store-redirect": ["never"],
  "idempotency-key": ["one", "two", "three"],
  "tus-resumable": ["1.0.0"],
  "upload-length": ["5", "0", "1000"],
  "upload-defer-length": ["1"],
  "upload-offset": ["0", "5", "999"],
  "upload-metadata": ["filename YXBw", "expect YmxhazM6MDA=", "a,b,c"],
  "upload-checksum": ["sha1 Lve95gjOVATpfV8EL5X4nxwjKHE=", "md5 AAAA", "crc32 AAAA"],
  "content-digest": ["sha-256=:AAAA:", "blake3=::", "sha-512=:AAAA:"],
  "repr-digest": ["sha-256=:AAAA:"],
  "content-type": ["text/plain", "application/json; charset=utf-8", "multipart/form-data"],
  range: ["bytes=0-1", "bytes=-1", "bytes=0-0,2-3", "bytes=9-", "lines=1-2"],
  "last-event-id": ["0", "5", "-1"],
};
