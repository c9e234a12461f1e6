import type { ContentAddress } from "@store/identity";
import type { Registry } from "@store/registry";

import { openAccount, operator, type Account } from "./access-world.ts";
import type { WholeServer } from "./whole-server.ts";

const here = { address: "127.0.0.1" };

/** Makes what requests are about, all of it in `acme/app`. */
export class Fixtures {
  readonly server: WholeServer;
  readonly registry: Registry;
  /** A finalized package that nobody changes, with the file `bin/app`. */
  readonly published: string;
  readonly address: ContentAddress;
  #user: Account | undefined;
  #count = 0;

  private constructor(server: WholeServer, published: string, address: ContentAddress) {
    this.server = server;
    this.registry = server.registry;
    this.published = published;
    this.address = address;
  }

  static async open(server: WholeServer): Promise<Fixtures> {
    const { registry } = server;
    const coordinates = { namespace: "acme", name: "app", version: "1.0.0" };
    const { id } = await registry.createPackage(coordinates);
    const { address } = await registry.ingestFile(id, "bin/app", bytes("the app"));
    await registry.finalizePackage(id);
    await registry.setTag({ packageId: id, tag: "stable" });
    const schema = { type: "object" };
    await registry.registerMetadataSchema({ name: "build", schema });
    return new Fixtures(server, id, address);
  }

  /** A number that was not given before. */
  next(): number {
    this.#count += 1;
    return this.#count;
  }

  /** The id of an open package with the file `bin/app`. */
  async openPackage(): Promise<string> {
    const coordinates = { namespace: "acme", name: "app", version: `0.0.${this.next()}` };
    const { id } = await this.registry.createPackage(coordinates);
    await this.registry.addFile(id, "bin/app", this.address);
    return id;
  }

  /** The id of a finalized package. */
  async finalizedPackage(): Promise<string> {
    const id = await this.openPackage();
    await this.registry.finalizePackage(id);
    return id;
  }

  /** An object that lies in an archive. */
  async archivedObject(): Promise<ContentAddress> {
    const packageId = await this.openPackage();
    const text = `cold, number ${this.next()}`;
    const { address } = await this.registry.ingestFile(packageId, "cold", bytes(text));
    this.server.archive(address);
    return address;
  }

  /** The id of an upload of so many bytes, of whoever it is. */
  async upload(actor: string): Promise<string> {
    const upload = await this.registry.as(actor).createUpload({ sizeBytes: 5 });
    return upload.id;
  }

  /** A user that requests are about and nobody calls as. */
  async user(): Promise<Account> {
    this.#user ??= await openAccount(this.server, "read:acme/*");
    return this.#user;
  }

  /** A refresh token of that user. */
  async refreshToken(): Promise<string> {
    const { username, password } = await this.user();
    const session = await this.server.access.login({ username, password }, here);
    return session.refreshToken;
  }

  /** The id of a new API token of a user. */
  async tokenOf({ username }: Account): Promise<string> {
    const made = await this.server.access.createToken(operator, { name: "any", owner: username });
    return made.id;
  }
}

export async function* bytes(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}
