import {
  chmod,
  mkdir,
  readdir,
  readFile,
  rename,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { contentAddress, digestBytes } from "@store/identity";
import { openLocalStorage } from "@store/storage-local";
import { addressOf, gathered, joined, sampleBytes } from "@store/storage/conformance";
import { expect, onTestFinished, test } from "vitest";
import { addressesIn, addressWith, newRoot, put, stagedIn } from "./lib/root-folder.ts";

const open = async (root: string) => {
  const backend = await openLocalStorage({ root });
  onTestFinished(async () => backend.close());
  return backend;
};

test("an object stands under algorithm, two shards and its whole digest", async () => {
  const root = await newRoot(onTestFinished);
  const backend = await open(root);
  const bytes = sampleBytes(5000);
  const { primary, sha256 } = await digestBytes(bytes);
  for (const digest of [primary, sha256]) {
    await put(backend, bytes, contentAddress(digest));
    const { algorithm, hex } = digest;
    const file = join(root, algorithm, hex.slice(0, 2), hex.slice(2, 4), hex);
    expect(await readFile(file)).toEqual(Buffer.from(bytes));
  }
});

test("files are the owner's alone, and so are folders, whatever the umask lets through", async () => {
  const root = await newRoot(onTestFinished);
  const backend = await open(root);
  await put(backend, sampleBytes(10));
  await put(backend, sampleBytes(3_000_000));
  const staged = await backend.stage({ lease: "upload" });
  await staged.sync();
  const names = await readdir(root, { recursive: true });
  expect(names).toContain(join("staging", staged.id));
  for (const name of ["", ...names]) {
    const facts = await stat(join(root, name));
    expect(facts.mode & 0o777, name).toBe(facts.isDirectory() ? 0o700 : 0o600);
  }
});

test("the root names its layout and version, and folders above it are made", async () => {
  const root = join(await newRoot(onTestFinished), "deeper", "down");
  await open(root);
  expect(JSON.parse(await readFile(join(root, "format.json"), "utf8"))).toEqual({
    format: "store-objects",
    version: 1,
    keys: "<algorithm>/<hex 0-2>/<hex 2-4>/<hex>",
  });
  await open(root);
  expect((await readdir(root)).toSorted()).toEqual(["format.json", "staging"]);
});

test.each([
  ["a later version", `{"format":"store-objects","version":2}`, /version 2 .* knows version 1/],
  ["a version that is no number", `{"format":"store-objects","version":"1"}`, /version "1"/],
  ["no version", `{"format":"store-objects"}`, /version undefined/],
  ["another's format", `{"format":"oci-layout","version":1}`, /not of Store/],
  ["text that is no JSON", `store-objects`, /not JSON/],
  ["JSON that is no object", `[1]`, /not of Store/],
  ["null", `null`, /no object/],
  ["nothing", ``, /not JSON/],
  ["more than any format", ` `.repeat(5000), /not JSON/],
])("a root whose format.json has %s is refused and left alone", async (_, text, message) => {
  const root = await newRoot(onTestFinished);
  await mkdir(root);
  await writeFile(join(root, "format.json"), text);
  const opening = openLocalStorage({ root });
  await expect(opening).rejects.toMatchObject({ code: "layout_unknown" });
  await expect(opening).rejects.toThrow(message);
  expect(await readdir(root)).toEqual(["format.json"]);
});

test("a folder with somebody else's files is refused and left alone", async () => {
  const root = await newRoot(onTestFinished);
  await mkdir(root);
  await writeFile(join(root, "letter.txt"), "Dear Ann");
  await expect(openLocalStorage({ root })).rejects.toMatchObject({ code: "layout_unknown" });
  expect(await readdir(root)).toEqual(["letter.txt"]);
});

test("an empty folder becomes a root, also one that a new disk or a killed process left", async () => {
  const root = await newRoot(onTestFinished);
  await mkdir(join(root, "lost+found"), { recursive: true });
  await writeFile(join(root, `format.json.${crypto.randomUUID()}`), "{");
  const backend = await open(root);
  await put(backend, sampleBytes(10));
  expect(await addressesIn(backend)).toHaveLength(1);
});

test("a root that is a file, or no path, is refused", async () => {
  const root = await newRoot(onTestFinished);
  await writeFile(root, "");
  await expect(openLocalStorage({ root })).rejects.toMatchObject({ code: "storage_unavailable" });
  const below = join(root, "objects");
  await expect(openLocalStorage({ root: below })).rejects.toMatchObject({
    code: "storage_unavailable",
  });
  for (const impossible of ["", "a\0b"]) {
    const opening = openLocalStorage({ root: impossible });
    await expect(opening).rejects.toMatchObject({ code: "invalid_argument" });
  }
  const opening = openLocalStorage({ root, maxOpenFiles: 0 });
  await expect(opening).rejects.toMatchObject({ code: "invalid_argument" });
});

test("a relative root stays where it was when the process changes its folder", async () => {
  const before = process.cwd();
  const root = await newRoot(onTestFinished);
  const backend = await open(relative(before, root));
  try {
    process.chdir("/");
    await put(backend, sampleBytes(10));
  } finally {
    process.chdir(before);
  }
  expect(await addressesIn(backend)).toHaveLength(1);
});

test("what is no object of the layout is neither listed, nor read, nor in the way", async () => {
  const root = await newRoot(onTestFinished);
  const backend = await open(root);
  const bytes = sampleBytes(100);
  const { address } = await put(backend, bytes);
  const hex = address.slice("blake3:".length);
  const shard = join(root, "blake3", hex.slice(0, 2), hex.slice(2, 4));
  const other = (end: string) => hex.slice(0, 62) + end;
  await writeFile(join(shard, "README"), "by hand");
  await writeFile(join(shard, hex.toUpperCase()), bytes);
  await writeFile(join(shard, hex.slice(0, 63)), bytes);
  await writeFile(join(shard, "f".repeat(64)), "in another's shard");
  await mkdir(join(shard, other("00")));
  await symlink("/etc/hostname", join(shard, other("01")));
  await writeFile(join(root, "blake3", "xx"), "");
  await mkdir(join(root, "blake3", "ABCD"));
  await writeFile(join(root, "blake3", "0a"), "a file where a shard would be");
  await mkdir(join(root, "sha512", "00", "00"), { recursive: true });
  await writeFile(join(root, "staging", "notes.txt"), "");
  await mkdir(join(root, "staging", `lease.${crypto.randomUUID()}`));

  expect(await addressesIn(backend)).toEqual([address]);
  expect(await stagedIn(backend)).toEqual([]);
  for (const end of ["00", "01"]) {
    const foreign = addressWith(other(end));
    expect(await backend.stat(foreign)).toBeUndefined();
    const reading = joined(backend.open(foreign));
    await expect(reading).rejects.toMatchObject({ code: "object_not_found" });
  }
  await expect(put(backend, bytes, addressWith("0a"))).rejects.toMatchObject({
    code: "storage_unavailable",
  });
});

test("objects are listed in the order of their addresses, after any address", async () => {
  const root = await newRoot(onTestFinished);
  const backend = await open(root);
  const starts = ["00", "000001", "0001", "00ff", "0100", "7f80", "7f8000ff", "ff", "ffff"];
  const addresses = ["sha256", "blake3"].flatMap((algorithm) =>
    starts.map((start) => addressWith(start, algorithm)),
  );
  await Promise.all(addresses.map((address) => put(backend, sampleBytes(3), address)));
  const expected = addresses.toSorted();
  expect(await addressesIn(backend)).toEqual(expected);
  const between = ["0000005", "0002", "7f81", "fe"].map((start) => addressWith(start));
  for (const after of [...addresses, ...between]) {
    const listed = (await gathered(backend.enumerate(after))).map(({ address }) => address);
    expect(listed).toEqual(expected.filter((address) => address > after));
  }
});

test("a root that has been moved away while it is open is missed, not made again", async () => {
  const root = await newRoot(onTestFinished);
  const backend = await open(root);
  await put(backend, sampleBytes(10));
  await rename(root, `${root}-elsewhere`);
  await mkdir(root);
  const health = await backend.health();
  expect(health.healthy).toBe(false);
  expect(health.reason).toMatch(/format\.json; is its disk mounted\?/);
  await expect(put(backend, sampleBytes(11))).rejects.toMatchObject({
    code: "storage_unavailable",
  });
  expect((await readdir(root, { recursive: true })).filter((name) => /\./.test(name))).toEqual([]);
});

test("a folder of shards that was removed by hand is made again", async () => {
  const root = await newRoot(onTestFinished);
  const backend = await open(root);
  const bytes = sampleBytes(10);
  const { address } = await put(backend, bytes);
  const hex = address.slice("blake3:".length);
  await rename(join(root, "blake3", hex.slice(0, 2)), join(dirname(root), "taken"));
  const staged = await backend.stage({ lease: "test" });
  await staged.write(bytes);
  await expect(staged.commit(address)).rejects.toMatchObject({ code: "storage_unavailable" });
  expect(await staged.commit(address)).toEqual({ address, sizeBytes: 10, existed: false });
  expect(await stagedIn(backend)).toEqual([]);
});

test("a healthy root tells its space and keeps nothing of the check", async () => {
  const root = await newRoot(onTestFinished);
  const backend = await open(root);
  const health = await backend.health();
  expect(health).toEqual({
    healthy: true,
    freeBytes: expect.any(Number),
    totalBytes: expect.any(Number),
  });
  expect(health.freeBytes).toBeGreaterThan(0);
  expect(await readdir(join(root, "staging"))).toEqual([]);
});

test("an object that was cut is told by its size, and can be removed and written again", async () => {
  const root = await newRoot(onTestFinished);
  const backend = await open(root);
  const bytes = sampleBytes(1000);
  const { address } = await put(backend, bytes);
  const hex = address.slice("blake3:".length);
  const file = join(root, "blake3", hex.slice(0, 2), hex.slice(2, 4), hex);
  await chmod(file, 0o600);
  await writeFile(file, bytes.subarray(0, 400));
  expect(await backend.stat(address)).toEqual({ address, sizeBytes: 400 });
  await expect(put(backend, bytes)).rejects.toMatchObject({
    code: "size_mismatch",
    context: { reference: address, expected: 400, actual: 1000 },
  });
  await backend.remove(address);
  expect((await put(backend, bytes)).existed).toBe(false);
  expect(await addressOf(await joined(backend.open(address)))).toBe(address);
});

test("a root that is gone while it is open has lost no object: it does not answer", async () => {
  const root = await newRoot(onTestFinished);
  const backend = await open(root);
  const { address } = await put(backend, sampleBytes(10));
  const unknown = await addressOf(sampleBytes(11));
  const elsewhere = `${root}.unmounted`;
  await rename(root, elsewhere);
  const unavailable = { code: "storage_unavailable" };
  await expect(backend.stat(address)).rejects.toMatchObject(unavailable);
  await expect(joined(backend.open(address))).rejects.toMatchObject(unavailable);
  // As an empty folder stands where a disk was mounted.
  await mkdir(root);
  await expect(joined(backend.open(unknown))).rejects.toMatchObject(unavailable);
  await rename(elsewhere, root);
  expect(await backend.stat(unknown)).toBeUndefined();
  expect(await joined(backend.open(address))).toHaveLength(10);
});
