import type { Own, Thing } from "./guessing-population.ts";

/** A request by which something is guessed. */
export interface Guess {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON, but texts as they are. */
  readonly body?: unknown;
}

const get = (path: string, headers: Readonly<Record<string, string>> = {}): Guess => ({
  method: "GET",
  path,
  headers,
});
const send = (method: string, path: string, body?: unknown, headers = {}): Guess => ({
  method,
  path,
  headers,
  ...(body === undefined ? {} : { body }),
});
const tus = { "tus-resumable": "1.0.0" };

/** The package by its id, in every operation on packages and files. */
function byPackageId(id: string, { path, address, tag }: Thing): Guess[] {
  const base = `/api/v1/packages/${id}`;
  const files = `${base}/files/${path}`;
  return [
    get(base),
    send("DELETE", base),
    send("DELETE", `${base}?status=open`),
    send("POST", `${base}/finalize`),
    send("POST", `${base}/yank`, { reason: "a guess" }),
    send("POST", `${base}/unyank`),
    send("POST", `${base}/verify`),
    get(`${base}/manifest`),
    get(`${base}/manifest`, { accept: "application/cbor" }),
    get(`${base}/archive.tar`),
    get(`${base}/archive.tar.gz`),
    get(`${base}/archive.zip`),
    get(`${base}/retention`),
    send("PUT", `${base}/retention`, { class: "audit" }),
    send("PUT", `${base}/retention`, { class: "no-such-class" }),
    send("POST", `${base}/holds`, { reason: "a guess" }),
    get(`/api/v1/holds?package_id=${id}`),
    get(`${base}/files`),
    get(`${base}/files?cursor=bad`),
    get(files),
    get(files, { range: "bytes=0-3" }),
    get(files, { "if-none-match": `"${address}"` }),
    get(files, { "if-match": `"${address}"` }),
    send("DELETE", files),
    send("PUT", files, "a body"),
    send("PUT", `${files}?replace=true`, "a body"),
    send("PUT", `${files}?expect=${address}`, "a body"),
    send("PUT", files, undefined, { "store-object": address }),
    send("PUT", `/api/v1/names/acme/app/tags/${tag}`, { package_id: id }),
    send(
      "PUT",
      "/api/v1/names/acme/app/tags/stable",
      { package_id: id },
      { "if-match": `"${id}"` },
    ),
    send("DELETE", "/api/v1/names/acme/app/tags/stable", undefined, { "if-match": `"${id}"` }),
  ];
}

function byName({ namespace, name, version, variant, tag, packageId, manifestDigest }: Thing) {
  const full = `${namespace}/${name}`;
  const base = `/api/v1/names/${full}`;
  const references = [
    full,
    `${full}@${version}`,
    `${full}@${version}/${variant}`,
    `${full}:${tag}`,
    `${full}:${tag}/${variant}`,
    `${full}:latest`,
    `${full}:latest/${variant}`,
    `${full}@${manifestDigest}`,
    `acme/app@${manifestDigest}`,
    `acme/app@${version}`,
    `acme/app:${tag}`,
    `acme/app@1.0.0/${variant}`,
  ];
  const filters = [
    `namespace=${namespace}`,
    `namespace=${namespace}&name=${name}`,
    `namespace=${namespace}&name=${name}&version=${version}`,
    `namespace=${namespace}&name=${name}&version=${version}&variant=${variant}`,
    `namespace=${namespace}&name=${name}&tag=${tag}`,
    `namespace=${namespace}&status=open`,
    `namespace=${namespace}&q=${name}`,
    `namespace=acme&name=app&tag=${tag}`,
    `q=${name}`,
    `q=${name.slice(0, 12)}`,
    `q=${namespace}`,
    `q=${name.split("-")[1]}&status=open`,
  ];
  return [
    ...references.map((reference) => get(`/api/v1/resolve?ref=${reference}`)),
    ...filters.map((filter) => get(`/api/v1/packages?${filter}`)),
    get(`/api/v1/names?namespace=${namespace}`),
    get(base),
    get(`${base}/versions`),
    get(`${base}/tags`),
    get(`${base}/versions?limit=1`),
    send("PUT", `${base}/tags/${tag}`, { package_id: packageId }),
    send("PUT", `${base}/tags/${tag}`, { package_id: packageId }, { "if-none-match": "*" }),
    send("DELETE", `${base}/tags/${tag}`),
    send("DELETE", `${base}/tags/${tag}`, undefined, { "if-match": `"${packageId}"` }),
    send("POST", "/api/v1/packages", { namespace, name, version, variant }),
    send("POST", "/api/v1/packages", { namespace, name, version: "9.9.9" }),
    get(`/api/v1/events?subject=${full}`),
    get(`/api/v1/events?subject=${full}@${version}/${variant}`),
    get(`/api/v1/events?subject=${full}&type=v1.package.finalized&limit=1`),
    get(`/api/v1/events?subject=${full}`, { accept: "application/cbor-seq" }),
  ];
}

function byDigest({ address, sha256, manifestDigest }: Thing, { openId }: Own): Guess[] {
  const digests = [address, sha256, manifestDigest];
  const file = `/api/v1/packages/${openId}/files/taken`;
  return digests.flatMap((digest) => [
    get(`/api/v1/objects/${digest}`),
    get(`/api/v1/objects/${digest}`, { range: "bytes=0-3" }),
    get(`/api/v1/objects/${digest}`, { "if-none-match": `"${digest}"` }),
    get(`/api/v1/objects/${digest}`, { "if-match": `"${digest}"` }),
    send("HEAD", `/api/v1/objects/${digest}`),
    send("POST", "/api/v1/objects/missing", { addresses: [digest] }),
    send("POST", "/api/v1/objects/missing", { addresses: digests }),
    send("PUT", file, undefined, { "store-object": digest }),
    send("PUT", `${file}?expect=${digest}`, "not these bytes"),
    send("PUT", file, "not these bytes", { "content-digest": headerOf(digest) }),
  ]);
}

/** RFC 9530. */
function headerOf(digest: string): string {
  const [algorithm = "", hex = ""] = digest.split(":");
  const name = algorithm === "sha256" ? "sha-256" : algorithm;
  return `${name}=:${Buffer.from(hex, "hex").toString("base64")}:`;
}

function byUpload(id: string, { openId }: Own): Guess[] {
  const path = `/api/v1/uploads/${id}`;
  const append = { ...tus, "content-type": "application/offset+octet-stream" };
  return [
    get(path),
    send("HEAD", path, undefined, tus),
    send("DELETE", path, undefined, tus),
    send("PATCH", path, "0123456789", { ...append, "upload-offset": "20" }),
    send("PATCH", path, "0123456789", { ...append, "upload-offset": "0", "upload-length": "41" }),
    send("PUT", `/api/v1/packages/${openId}/files/taken`, undefined, { "store-upload": id }),
  ];
}

function byAccount({ username, tokenId, holdId }: Thing): Guess[] {
  const user = `/api/v1/admin/users/${username}`;
  const password = "certainly not this one";
  return [
    send("POST", "/auth/login", { username, password }),
    send("DELETE", `/api/v1/tokens/${tokenId}`),
    send("DELETE", `/api/v1/holds/${holdId}`),
    get(user),
    send("POST", `${user}/disable`),
    send("POST", `${user}/enable`),
    send("PUT", `${user}/scopes`, { scopes: ["read:*"] }),
    send("PUT", `${user}/password`, { password }),
    send("POST", "/api/v1/admin/users", { username, password }),
  ];
}

/** Cursors as lists of all there is give them, with the key of something hidden in them. */
function byCursor({ namespace, name, variant, packageId, holdId, tag }: Thing): Guess[] {
  const cursor = (list: string, ...key: readonly (string | number)[]): string =>
    Buffer.from(JSON.stringify([list, key])).toString("base64url");
  const word = name.split("-")[1] ?? "";
  const found = cursor("search", word, namespace, name, "~", variant, packageId);
  const packages = cursor("packages", namespace, name, "~", variant, packageId);
  return [
    get(`/api/v1/packages?cursor=${packages}`),
    get(`/api/v1/packages?namespace=acme&cursor=${packages}`),
    get(`/api/v1/packages?status=finalized&limit=1&cursor=${packages}`),
    get(`/api/v1/names?cursor=${cursor("names", namespace, name)}`),
    get(`/api/v1/names?limit=1&cursor=${cursor("names", namespace, name)}`),
    get(`/api/v1/holds?cursor=${cursor("holds", holdId)}`),
    get(`/api/v1/names/acme/app/tags?cursor=${cursor("tags", tag)}`),
    get(`/api/v1/packages?q=a&cursor=${found}`),
    get(`/api/v1/packages?q=z&cursor=${found}`),
  ];
}

/** Every way to ask for a thing. The same place in the list asks in the same way. */
export function guessesOf(thing: Thing, own: Own): Guess[] {
  return [
    ...byPackageId(thing.packageId, thing),
    ...byPackageId(thing.openId, thing),
    ...byName(thing),
    ...byDigest(thing, own),
    ...byUpload(thing.uploadId, own),
    ...byUpload(thing.openUploadId, own),
    ...byAccount(thing),
    ...byCursor(thing),
  ];
}
