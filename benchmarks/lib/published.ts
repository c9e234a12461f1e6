import type { Registry } from "@store/registry";

import { makeNew } from "./random-bytes.ts";
import { concurrently } from "./rounds.ts";

export interface PublishedPackages {
  readonly packages: number;
  readonly filesEach: number;
  /** Of each file. */
  readonly sizeBytes: number;
  /** Packages of one name; it has one tag. */
  readonly versionsEach: number;
}

/** Publishes packages as users do, with objects that nobody had before. */
export async function publishAll(registry: Registry, what: PublishedPackages): Promise<void> {
  const { packages, filesEach, sizeBytes, versionsEach } = what;
  const pattern = new Uint8Array(sizeBytes).fill(0x5a);
  await concurrently(packages, 64, async (index) => {
    const name = `package-${Math.floor(index / versionsEach)}`;
    const version = `1.${Math.floor((index % versionsEach) / 10)}.${index % 10}`;
    const namespace = `team-${Math.floor(index / versionsEach) % 50}`;
    const { id } = await registry.createPackage({ namespace, name, version });
    for (let file = 0; file < filesEach; file += 1) {
      const bytes = pattern.slice();
      makeNew(bytes);
      await registry.ingestFile(id, `lib/module-${file}/index.js`, once(bytes));
    }
    await registry.finalizePackage(id);
    if (index % versionsEach === 0) await registry.setTag({ packageId: id, tag: "stable" }, {});
  });
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
