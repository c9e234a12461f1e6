import type { Registry } from "@store/registry";

import { concurrently } from "./rounds.ts";

export interface PublishedPackages {
  readonly packages: number;
  readonly filesEach: number;
  /** Files of each package whose bytes no package had before; the others are like earlier ones. */
  readonly newEach: number;
  /** Of each file. */
  readonly sizeBytes: number;
  /** Packages of one name; it has one tag. */
  readonly versionsEach: number;
}

/** Publishes packages as users do, 64 at a time. */
export async function publishAll(registry: Registry, what: PublishedPackages): Promise<void> {
  const { packages, filesEach, newEach, sizeBytes, versionsEach } = what;
  await concurrently(packages, 64, async (index) => {
    const name = `package-${Math.floor(index / versionsEach)}`;
    const version = `1.${Math.floor((index % versionsEach) / 10)}.${index % 10}`;
    const namespace = `team-${Math.floor(index / versionsEach) % 50}`;
    const { id } = await registry.createPackage({ namespace, name, version });
    for (let file = 0; file < filesEach; file += 1) {
      const isNew = file < newEach || index === 0;
      const earlier = (index * 7_919 + file * 104_729) % (index * newEach || 1);
      const bytes = contentOf(isNew ? index * newEach + file : earlier, sizeBytes);
      await registry.ingestFile(id, `lib/module-${file}/index.js`, once(bytes));
    }
    await registry.finalizePackage(id);
    if (index % versionsEach === 0) await registry.setTag({ packageId: id, tag: "stable" }, {});
  });
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** The bytes of the object of that number. */
function contentOf(number: number, sizeBytes: number): Uint8Array {
  const bytes = new Uint8Array(sizeBytes).fill(0x5a);
  new DataView(bytes.buffer).setFloat64(0, number);
  return bytes;
}
