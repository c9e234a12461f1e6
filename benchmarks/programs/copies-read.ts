import { join } from "node:path";

import { parseContentAddress } from "@store/identity";
import { openRegistry, type Registry } from "@store/registry";
import type { StorageBackend } from "@store/storage";
import { openLocalStorage } from "@store/storage-local";

import { Databases } from "../lib/databases.ts";
import { poolStream } from "../lib/pool-stream.ts";
import type { ProgramContext } from "../lib/program.ts";
import { makeNew, randomBytes } from "../lib/random-bytes.ts";
import { concurrently, interleave, secondsOf } from "../lib/rounds.ts";

export const title = "reading where there are two copies, against one, on local disk and SQLite";

const mebibyte = 1024 * 1024;
const smallBytes = 4096;
const width = 64;

export async function run({ report, scratch, quick }: ProgramContext): Promise<void> {
  await using databases = new Databases(scratch);
  const largeBytes = (quick ? 64 : 1024) * mebibyte;
  const count = quick ? 500 : 5_000;
  const place = (name: string) => openLocalStorage({ root: join(scratch, name) });
  const url = (name: string) => databases.url("sqlite", name);
  const one = await Reader.open(await url("one"), { primary: await place("one") });
  const [near, far] = [await place("near"), await place("far")];
  const two = await Reader.open(await url("two"), { primary: near, mirror: far });
  // Its primary has lost everything, and the view says so once a copy was looked for.
  const lost = await place("lost");
  const mended = await Reader.open(await url("mended"), {
    primary: lost,
    mirror: await place("left"),
  });
  for (const reader of [one, two, mended]) {
    await reader.fill(count, largeBytes);
    if (reader !== one) await reader.mirror();
  }
  for (const address of mended.addresses) await lost.remove(address);

  const small = (reader: Reader) => async () => {
    const read = (index: number) => reader.read(index, smallBytes);
    return count / (await secondsOf(() => concurrently(count, width, read)));
  };
  const large = (reader: Reader) => async () =>
    largeBytes / 1e6 / (await secondsOf(() => reader.read(count, largeBytes)));
  const rounds = { rounds: quick ? 2 : 7 };
  const smalls = await interleave(
    { one: small(one), two: small(two), mended: small(mended) },
    rounds,
  );
  const larges = await interleave(
    { one: large(one), two: large(two), mended: large(mended) },
    rounds,
  );
  for (const reader of [one, two, mended]) await reader.close();

  const size = `${largeBytes / mebibyte} MiB`;
  const smallFloor = { "one backend": smalls.one };
  const largeFloor = { "one backend": larges.one };
  const cases = [
    ["two backends, the first has it", "two"],
    ["two backends, the first has lost it", "mended"],
  ] as const;
  for (const [name, which] of cases) {
    const [ours, floors] = [smalls[which], smallFloor];
    report.add({ name: `read 4 KiB, ${name}`, unit: "1/s", ours, floors });
  }
  for (const [name, which] of cases) {
    const [ours, floors] = [larges[which], largeFloor];
    report.add({ name: `read ${size}, ${name}`, unit: "MB/s", ours, floors });
  }
  report.note(
    "Reads are whole and verified, 64 at a time where they are small; nothing is kept in memory. " +
      "A copy that was found missing once is tried last from then on: that was in the warm-up.",
  );
}

/** An instance, and objects in it. */
class Reader {
  readonly addresses: ReturnType<typeof parseContentAddress>[] = [];
  readonly #registry: Registry;

  private constructor(registry: Registry) {
    this.#registry = registry;
  }

  static async open(
    database: string,
    backends: Readonly<Record<string, StorageBackend>>,
  ): Promise<Reader> {
    const placement = "mirror" in backends ? { placement: { mirrors: ["mirror"] } } : {};
    return new Reader(await openRegistry({ database, backends, actor: "benchmark", ...placement }));
  }

  /** Small objects, and then a large one. */
  async fill(count: number, largeBytes: number): Promise<void> {
    const pool = randomBytes(64 * mebibyte);
    const coordinates = { namespace: "acme", name: "objects", version: "1.0.0" };
    const { id } = await this.#registry.createPackage(coordinates);
    const add = async (index: number, source: AsyncIterable<Uint8Array>): Promise<void> => {
      const { address } = await this.#registry.ingestFile(id, `file-${index}`, source);
      this.addresses[index] = address;
    };
    await concurrently(count, width, (index) => {
      const bytes = pool.slice(0, smallBytes);
      makeNew(bytes);
      return add(index, poolStream(bytes, smallBytes, smallBytes));
    });
    await add(count, poolStream(pool, largeBytes, mebibyte));
    await this.#registry.finalizePackage(id);
  }

  async mirror(): Promise<void> {
    const walk = this.#registry.replicateObjects({ to: "mirror" });
    for await (const { problemCount } of walk) {
      if (problemCount > 0) throw new Error("Not everything was mirrored.");
    }
  }

  async read(index: number, sizeBytes: number): Promise<void> {
    const address = this.addresses[index];
    if (address === undefined) throw new Error("There is no such object.");
    const { body } = await this.#registry.openObject(address, { reuseChunks: true });
    let received = 0;
    for await (const chunk of body) received += chunk.length;
    if (received !== sizeBytes) throw new Error(`There were ${received} bytes.`);
  }

  close(): Promise<void> {
    return this.#registry.close();
  }
}
