import { describe, expect, test } from "vitest";

import { codeOf, dialects, openTestInstance, publish } from "./instance.ts";

describe.each(dialects)("a reference on %s", (dialect) => {
  test("without a version means the highest that is no prerelease and not yanked", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry } = instance;
    for (const version of ["1.2.0", "1.10.0", "2.0.0-rc.1", "nightly", "1.9.0"]) {
      await publish(registry, { version });
    }
    const latest = async () => (await registry.resolve("acme/app")).package.version;
    expect(await latest()).toBe("1.10.0");
    const { package: newest } = await registry.resolve("acme/app@1.10.0");
    await registry.yankPackage(newest.id, { reason: "broken" });
    expect(await latest()).toBe("1.9.0");
    const yanked = await registry.resolve("acme/app@1.10.0");
    expect(yanked.package.status).toBe("yanked");
    expect(yanked.warnings.join()).toContain("broken");
    await registry.unyankPackage(newest.id);
    expect(await latest()).toBe("1.10.0");
  });

  test("takes versions that are no semver in order of finalizing, after those that are", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry } = instance;
    await publish(registry, { version: "zebra" });
    await publish(registry, { version: "aardvark" });
    expect((await registry.resolve("acme/app")).package.version).toBe("aardvark");
    await publish(registry, { version: "0.0.1" });
    expect((await registry.resolve("acme/app")).package.version).toBe("0.0.1");
  });

  test("means a tag named latest, once somebody set it", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry } = instance;
    const old = await publish(registry, { version: "1.0.0" });
    await publish(registry, { version: "2.0.0" });
    await registry.setTag({ packageId: old.id, tag: "latest" });
    expect((await registry.resolve("acme/app")).package.version).toBe("1.0.0");
    expect((await registry.resolve("acme/app:latest")).package.version).toBe("1.0.0");
    await registry.removeTag({ namespace: "acme", name: "app", tag: "latest" });
    expect((await registry.resolve("acme/app")).package.version).toBe("2.0.0");
  });

  test("selects a variant, and names them where several remain", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry } = instance;
    const amd64 = await publish(registry, { version: "1.0.0", variant: "linux-amd64" });
    expect((await registry.resolve("acme/app@1.0.0")).package.variant).toBe("linux-amd64");
    await publish(registry, { version: "1.0.0", variant: "linux-arm64" });
    const ambiguous = registry.resolve("acme/app");
    await expect(ambiguous).rejects.toMatchObject({
      code: "ambiguous_reference",
      context: { candidates: ["acme/app@1.0.0/linux-amd64", "acme/app@1.0.0/linux-arm64"] },
    });
    const variantOf = async (reference: string) =>
      (await registry.resolve(reference)).package.variant;
    expect(await variantOf("acme/app:latest/linux-arm64")).toBe("linux-arm64");
    await registry.setTag({ packageId: amd64.id, tag: "stable" });
    expect(await variantOf("acme/app:stable")).toBe("linux-amd64");
    expect(await variantOf("acme/app:stable/linux-arm64")).toBe("linux-arm64");
    expect(await codeOf(registry.resolve("acme/app:stable/windows"))).toBe("package_not_found");
    await publish(registry, { version: "1.0.0" });
    expect(await variantOf("acme/app@1.0.0")).toBeUndefined();
  });

  test("means the variants of the latest version that are not yanked", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry } = instance;
    await publish(registry, { version: "1.0.0", variant: "windows" });
    const amd64 = await publish(registry, { version: "2.0.0", variant: "linux-amd64" });
    await publish(registry, { version: "2.0.0", variant: "linux-arm64" });
    await registry.yankPackage(amd64.id);
    const { package: found, warnings } = await registry.resolve("acme/app");
    expect(found).toMatchObject({ version: "2.0.0", variant: "linux-arm64" });
    expect(warnings).toEqual([]);
    for (const variant of ["linux-amd64", "windows"]) {
      await expect(registry.resolve(`acme/app:latest/${variant}`)).rejects.toMatchObject({
        code: "package_not_found",
        message: expect.stringContaining("2.0.0"),
      });
    }
    const exact = await registry.resolve("acme/app@2.0.0/linux-amd64");
    expect(exact.warnings).toHaveLength(1);
    await expect(registry.resolve("acme/app@2.0.0")).rejects.toMatchObject({
      code: "ambiguous_reference",
    });
  });

  test("may be given in parts", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry } = instance;
    const { id } = await publish(registry, { version: "1.0.0", variant: "linux" });
    const app = { namespace: "acme", name: "app" };
    const selectors = [
      { kind: "latest" },
      { kind: "latest", variant: "linux" },
      { kind: "version", version: "1.0.0" },
      { kind: "version", version: "1.0.0", variant: "linux" },
    ] as const;
    for (const selector of selectors) {
      expect((await registry.resolve({ ...app, selector })).package.id).toBe(id);
    }
    const broken = { ...app, selector: { kind: "version", version: "../1" } } as const;
    expect(await codeOf(registry.resolve(broken))).toBe("invalid_reference");
  });

  test("by manifest digest names exactly one package", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry } = instance;
    const { manifestDigest } = await publish(registry, { version: "1.0.0" });
    const found = await registry.resolve(`acme/app@${manifestDigest}`);
    expect(found.package.version).toBe("1.0.0");
    expect(await codeOf(registry.resolve(`acme/other@${manifestDigest}`))).toBe(
      "package_not_found",
    );
  });

  test("to nothing says what is missing", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry } = instance;
    await registry.createPackage({ namespace: "acme", name: "app", version: "9.0.0" });
    expect(await codeOf(registry.resolve("acme/app"))).toBe("package_not_found");
    expect(await codeOf(registry.resolve("acme/app@9.0.0"))).toBe("package_not_found");
    expect(await codeOf(registry.resolve("acme/app:stable"))).toBe("tag_not_found");
    expect(await codeOf(registry.resolve("ACME/app"))).toBe("invalid_reference");
  });
});
