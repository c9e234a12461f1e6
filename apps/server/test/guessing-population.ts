import { randomBytes, randomUUID } from "node:crypto";

import { operator, openAccount } from "./access-world.ts";
import { bytes } from "./access-fixtures.ts";
import type { WholeServer } from "./whole-server.ts";

/** All by which one thing of another namespace could be guessed. Each text stands for itself. */
export interface Thing {
  readonly namespace: string;
  readonly name: string;
  readonly version: string;
  readonly variant: string;
  readonly tag: string;
  /** A finalized package. */
  readonly packageId: string;
  /** An open package. */
  readonly openId: string;
  readonly path: string;
  readonly address: string;
  readonly sha256: string;
  readonly manifestDigest: string;
  readonly holdId: string;
  /** A complete upload of somebody else. */
  readonly uploadId: string;
  /** An upload of somebody else to which bytes are still to come. */
  readonly openUploadId: string;
  readonly tokenId: string;
  readonly username: string;
  /** The idempotency key of somebody else's request. */
  readonly key: string;
}

const letters = "abcdefghijkmnpqrstuvwxyz";

/** A text that stands between `app` and `zeta` in every order, whatever else it is. */
function word(length: number): string {
  const rest = Array.from(randomBytes(length - 1), (byte) => letters[byte % letters.length]);
  return `q${rest.join("")}`;
}

function uuid(): string {
  const now = Date.now().toString(16).padStart(12, "0");
  return `${now.slice(0, 8)}-${now.slice(8)}-7${randomUUID().slice(15)}`;
}

const hex = (): string => randomBytes(32).toString("hex");
const digits = (): string => String(100_000 + (randomBytes(4).readUInt32BE() % 900_000));

/** What is nowhere, of the same forms and lengths. */
export function absentThing(within?: string): Thing {
  return {
    namespace: within ?? `hidden-${word(8)}`,
    name: `secret-${word(8)}`,
    version: `7.${digits()}.1`,
    variant: `variant-${word(8)}`,
    tag: `tag-${word(8)}`,
    packageId: uuid(),
    openId: uuid(),
    path: `path-${word(8)}`,
    address: `blake3:${hex()}`,
    sha256: `sha256:${hex()}`,
    manifestDigest: `blake3:${hex()}`,
    holdId: uuid(),
    uploadId: uuid(),
    openUploadId: uuid(),
    tokenId: uuid(),
    username: `user-${word(8)}`,
    key: `key-${word(8)}`,
  };
}

/** What is nowhere, but would stand where a thing stands in a list of all there is. */
export function absentBeside({ namespace, holdId }: Thing): Thing {
  const beside = `${holdId.slice(0, -4)}${randomBytes(2).toString("hex")}`;
  return { ...absentThing(namespace === "acme" ? "acme" : undefined), holdId: beside };
}

/** Makes a thing that is there, of another user, in a namespace of its own unless one is given. */
export async function hiddenThing(server: WholeServer, within?: string): Promise<Thing> {
  const { registry } = server;
  const texts = absentThing(within);
  const { namespace, name, version, variant, path, tag, key } = texts;
  const account = await openAccount(server, `admin:${namespace}/*`);
  const other = registry.as(`token:${account.tokenId}`);
  const coordinates = { namespace, name, version, variant };
  const made = await other.createPackage(coordinates, { idempotencyKey: key });
  const { address, sha256 } = await other.ingestFile(made.id, path, bytes(word(40)));
  const { manifestDigest } = await other.finalizePackage(made.id);
  await other.setTag({ packageId: made.id, tag });
  const hold = await other.placeHold(made.id, "a case");
  const open = await other.createPackage({ ...coordinates, version: "7.0.0" });
  await other.addFile(open.id, path, address);
  const upload = await other.createUpload({ sizeBytes: 40 });
  await other.appendUpload(upload.id, 0, bytes(word(40)));
  const openUpload = await other.createUpload({ sizeBytes: 40 });
  await other.appendUpload(openUpload.id, 0, bytes(word(20)));
  const username = texts.username;
  await server.access.createUser(operator, { username, password: "horses of brass, all" });
  return {
    ...texts,
    packageId: made.id,
    openId: open.id,
    address,
    sha256,
    manifestDigest,
    holdId: hold.id,
    uploadId: upload.id,
    openUploadId: openUpload.id,
    tokenId: account.tokenId,
  };
}

/** What the caller may read, and where it may write. */
export interface Own {
  /** An open package of `acme/app`. */
  readonly openId: string;
  readonly publishedId: string;
}

/** Makes what the guessing caller has itself. */
export async function ownThings({ registry }: WholeServer): Promise<Own> {
  const published = await registry.createPackage({
    namespace: "acme",
    name: "app",
    version: "1.0.0",
  });
  await registry.ingestFile(published.id, "bin/app", bytes("the app"));
  await registry.finalizePackage(published.id);
  await registry.setTag({ packageId: published.id, tag: "stable" });
  await registry.placeHold(published.id, "a case");
  // Behind all that is hidden, in the order of every list.
  const last = await registry.createPackage({ namespace: "zeta", name: "app", version: "1.0.0" });
  await registry.finalizePackage(last.id);
  const open = await registry.createPackage({ namespace: "acme", name: "app", version: "2.0.0" });
  return { openId: open.id, publishedId: published.id };
}
