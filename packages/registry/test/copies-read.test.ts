import type { ContentAddress } from "@store/identity";
import { decodeCbor } from "@store/manifest";
import type { StorageBackend } from "@store/storage";
import { withFaults, type Fault } from "@store/storage/faults";
import { createMemoryBackend } from "@store/storage/memory";
import { describe, expect, test } from "vitest";

import { bytesOf, codeOf, collect, dialects, openTestInstance, publish } from "./instance.ts";
import { addCopy, copyEvents, putBytes, settled, withOverrides } from "./several-backends.ts";

/** An instance with a file whose object stands at the primary and at a mirror. */
async function mirrored(dialect: (typeof dialects)[number], faults: readonly Fault[] = []) {
  const bare = createMemoryBackend();
  const primary = withFaults(bare, faults);
  const mirror = createMemoryBackend();
  const backends = { primary, mirror };
  const placement = { mirrors: ["mirror"] };
  const instance = await openTestInstance(dialect, { backends, placement, inFile: true });
  const { id } = await publish(instance.registry, { version: "1.0.0" }, { a: "the content" });
  const { address } = await instance.registry.statFile(id, "a");
  await addCopy(instance, address, bare, { name: "mirror", backend: mirror });
  const read = async (registry = instance.registry): Promise<string> =>
    (await collect((await registry.getFile(id, "a")).body)).toString();
  return { instance, id, address, primary: bare, faulty: primary, mirror, read };
}

const wrong = new TextEncoder().encode("teh content");

describe.each(dialects)("a file with a mirror on %s", (dialect) => {
  test.each([
    ["gone", "missing", (at: StorageBackend, address: ContentAddress) => at.remove(address)],
    [
      "corrupt",
      "corrupt",
      (at: StorageBackend, address: ContentAddress) => putBytes(at, address, wrong),
    ],
    [
      "truncated",
      "corrupt",
      (at: StorageBackend, address: ContentAddress) => putBytes(at, address, wrong.subarray(3)),
    ],
  ] as const)("is read while its primary copy is %s, which is told once", async (...what) => {
    const [, finding, damage] = what;
    const { instance, address, primary, read } = await mirrored(dialect);
    await using _ = instance;
    await damage(primary, address);
    const { registry } = instance;
    const [other, apart] = [await instance.again(), await instance.apart()];
    const readers = [registry, other, apart, registry, apart, other];
    const all = await Promise.all(readers.map((each) => read(each)));
    expect(new Set(all)).toEqual(new Set(["the content"]));
    await settled(registry, [`damaged primary ${finding}`]);
    expect(await read(apart)).toBe("the content");

    // Whoever sends the bytes again mends the copy.
    instance.advance(1_000);
    const { id } = await publish(registry, { version: "2.0.0" }, { b: "the content" });
    expect(await copyEvents(registry)).toEqual([`damaged primary ${finding}`, "mended primary"]);
    expect(Buffer.concat(await Array.fromAsync(primary.open(address))).toString()).toBe(
      "the content",
    );
    expect(await registry.verifyPackage(id)).toMatchObject({ problems: [] });

    // A second loss is a second change.
    instance.advance(1_000);
    await primary.remove(address);
    expect(await read()).toBe("the content");
    await settled(registry, [
      `damaged primary ${finding}`,
      "mended primary",
      "damaged primary missing",
    ]);
    expect(await registry.replay({ check: true })).toMatchObject({ differences: [] });
  });

  test("whose backend fails is read from the other, which is asked first from then on", async () => {
    const fault: Fault = { verb: "stat", when: "before", effect: "fail", call: "every" };
    const { instance, faulty, read } = await mirrored(dialect, [fault]);
    await using _ = instance;
    for (let times = 0; times < 5; times += 1) expect(await read()).toBe("the content");
    expect(faulty.struck).toHaveLength(1);
    await settled(instance.registry, ["failed primary storage_unavailable"]);
    const [row] = await instance.database.reader
      .select()
      .from(instance.database.tables.storageBackends);
    expect(row).toMatchObject({ backend: "primary", status: "failed" });
    expect(await instance.registry.replay({ check: true })).toMatchObject({ differences: [] });
  });

  test("of which no copy is whole is refused, and found whole again when one is", async () => {
    const { instance, id, address, primary, mirror, read } = await mirrored(dialect);
    await using _ = instance;
    const { registry } = instance;
    await mirror.remove(address);
    await putBytes(primary, address, wrong);
    expect(await codeOf(read())).toBe("object_corrupt");
    await settled(registry, ["damaged primary corrupt", "damaged mirror missing"]);
    // As one would send its bytes again, its address alone adds it to no package.
    const pkg = await registry.createPackage({ namespace: "acme", name: "b", version: "1" });
    expect(await codeOf(registry.addFile(pkg.id, "a", address))).toBe("object_not_found");
    instance.advance(1_000);
    await putBytes(mirror, address, new TextEncoder().encode("the content"));
    expect(await read()).toBe("the content");
    await settled(registry, ["damaged primary corrupt", "damaged mirror missing", "mended mirror"]);
    expect(await registry.addFile(pkg.id, "a", address)).toMatchObject({ deduplicated: true });
    const { problems } = await registry.verifyPackage(id);
    expect(problems).toMatchObject([{ path: "a", backend: "primary", code: "object_corrupt" }]);
    const { items } = await registry.readEvents({ types: ["v1.file.added"] });
    expect(items.map((event) => decodeCbor(event.payload))).toMatchObject([
      { backend: "primary" },
      { backend: "mirror" },
    ]);
    expect(await registry.replay({ check: true })).toMatchObject({ differences: [] });
  });

  test("is verified at every backend, and whole only while one copy is", async () => {
    const { instance, id, address, primary, mirror } = await mirrored(dialect);
    await using _ = instance;
    const { registry } = instance;
    expect(await registry.verifyPackage(id)).toMatchObject({ problems: [] });
    await putBytes(mirror, address, wrong);
    expect((await registry.verifyPackage(id)).problems).toMatchObject([
      { path: "a", address, backend: "mirror", code: "object_corrupt" },
    ]);
    await primary.remove(address);
    const { problems } = await registry.verifyPackage(id);
    expect(problems).toMatchObject([{ path: "a", address, code: "object_not_found" }]);
    expect(problems[0]).not.toHaveProperty("backend");
    await settled(registry, ["damaged mirror corrupt", "damaged primary missing"]);
  });

  test("is told of by whoever finds its copy lost, however late their clock is", async () => {
    const { instance, id, address, primary, mirror, read } = await mirrored(dialect);
    await using _ = instance;
    const late = await instance.apart({ clock: () => Date.parse("2025-01-01T00:00:00.000Z") });
    await primary.remove(address);
    expect(await read(late)).toBe("the content");
    await settled(instance.registry, ["damaged primary missing"]);
    await putBytes(mirror, address, wrong);
    expect(await late.verifyPackage(id)).toMatchObject({ problems: [{ address }] });
    await settled(instance.registry, ["damaged primary missing", "damaged mirror corrupt"]);
  });

  test("is not called damaged by who read it before it was mended, however early their clock is", async () => {
    const { instance, address, primary, faulty, read } = await mirrored(dialect, [
      { verb: "open", when: 1, effect: "hang", call: 2 },
    ]);
    await using _ = instance;
    const { registry } = instance;
    const early = await instance.apart({ clock: () => Date.parse("2027-01-01T00:00:00.000Z") });
    expect(await read()).toBe("the content");
    await putBytes(primary, address, wrong);
    const reading = read(early);
    await expect.poll(() => faulty.struck).toHaveLength(1);
    instance.advance(1_000);
    await Array.fromAsync(registry.verifyObjects({ backend: "primary" }));
    instance.advance(1_000);
    await Array.fromAsync(registry.replicateObjects({ to: "primary" }));
    faulty.release();
    expect(await reading).toBe("the content");
    await early.close();
    expect(await copyEvents(registry)).toEqual(["damaged primary corrupt"]);
  });

  test("that is called lost and stands there whole is not taken away by a push that fails", async () => {
    const { instance, address, primary, read } = await mirrored(dialect, [
      { verb: "commit", when: "before", effect: "fail", call: 2 },
    ]);
    await using _ = instance;
    const { registry } = instance;
    const bytes = Buffer.concat(await Array.fromAsync(primary.open(address)));
    await primary.remove(address);
    await read();
    await settled(registry, ["damaged primary missing"]);
    // The disk is mounted again.
    await putBytes(primary, address, bytes);
    instance.advance(1_000);
    const pkg = await registry.createPackage({ namespace: "acme", name: "b", version: "1" });
    expect(await registry.ingestFile(pkg.id, "f", bytesOf("the content"))).toMatchObject({
      address,
      deduplicated: true,
    });
    expect(await primary.stat(address)).toBeDefined();
    expect(await copyEvents(registry)).toEqual(["damaged primary missing", "mended primary"]);
  });

  test("that many push at once while its primary copy is damaged is mended once", async () => {
    const { instance, address, primary, read } = await mirrored(dialect);
    await using _ = instance;
    const { registry } = instance;
    await putBytes(primary, address, wrong);
    await read();
    await settled(registry, ["damaged primary corrupt"]);
    instance.advance(1_000);
    const [other, apart] = [await instance.again(), await instance.apart()];
    const pkg = await registry.createPackage({ namespace: "acme", name: "b", version: "1" });
    await Promise.all(
      [registry, other, apart, registry, other, apart].map((each, index) =>
        each.ingestFile(pkg.id, `f${index}`, bytesOf("the content")),
      ),
    );
    expect(await copyEvents(registry)).toEqual(["damaged primary corrupt", "mended primary"]);
    expect(Buffer.concat(await Array.fromAsync(primary.open(address))).toString()).toBe(
      "the content",
    );
    const leases = await instance.database.reader
      .select()
      .from(instance.database.tables.objectLeases);
    expect(leases.filter(({ kind }) => kind === "object")).toEqual([]);
  });
});

describe.each(dialects)("a file whose copies lie in an archive on %s", (dialect) => {
  /** An instance whose mirror, which is read first, is an archive. */
  async function archived() {
    const primary = createMemoryBackend();
    const cold = createMemoryBackend();
    let restore: "none" | "restored" = "none";
    const mirror = withOverrides(cold, {
      stat: async (address) => {
        const stat = await cold.stat(address);
        return stat === undefined
          ? undefined
          : { ...stat, retrieval: { tier: "archive", restore } };
      },
    });
    const backends = { primary, mirror };
    const placement = { mirrors: ["mirror"], readOrder: ["mirror"] };
    const instance = await openTestInstance(dialect, { backends, placement });
    const { id } = await publish(instance.registry, { version: "1.0.0" }, { a: "the content" });
    const { address } = await instance.registry.statFile(id, "a");
    await addCopy(instance, address, primary, { name: "mirror", backend: cold });
    const read = async (): Promise<string> =>
      (await collect((await instance.registry.getFile(id, "a")).body)).toString();
    const comeBack = (): void => {
      restore = "restored";
    };
    return { instance, id, address, primary, read, comeBack };
  }

  test("is read from elsewhere, and needs a restore where there is nothing else", async () => {
    const { instance, id, address, primary, read, comeBack } = await archived();
    await using _ = instance;
    const { registry } = instance;
    expect(await read()).toBe("the content");
    // It was thought to be readable, and read first.
    await settled(registry, ["retrieval_changed mirror archive"]);
    expect(await read()).toBe("the content");
    await primary.remove(address);
    await expect(registry.getFile(id, "a")).rejects.toMatchObject({
      code: "restore_required",
      message: expect.stringContaining(`store objects restore ${address}`),
    });
    await settled(registry, ["retrieval_changed mirror archive", "damaged primary missing"]);
    comeBack();
    expect(await read()).toBe("the content");
    expect(await registry.replay({ check: true })).toMatchObject({ differences: [] });
  });
});
