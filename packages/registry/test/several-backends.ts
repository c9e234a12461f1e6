import { digestOf, type ContentAddress } from "@store/identity";
import { decodeCbor } from "@store/manifest";
import type { Registry } from "@store/registry";
import type { StorageBackend } from "@store/storage";

import { record } from "../src/lib/commands/run.ts";
import { objectSubject } from "../src/lib/events/subjects.ts";
import { isAboutCopies } from "../src/lib/events/copies.ts";
import { expect } from "vitest";

import type { TestInstance } from "./instance.ts";

/** Puts bytes under an address, whatever stands there. */
export async function putBytes(
  backend: StorageBackend,
  address: ContentAddress,
  bytes: Uint8Array,
): Promise<void> {
  await backend.remove(address);
  const staged = await backend.stage({ lease: "vandal" });
  await staged.write(bytes);
  await staged.commit(address);
}

/** Copies an object to the backend of a name, and records the copy. */
export async function addCopy(
  { log }: TestInstance,
  address: ContentAddress,
  from: StorageBackend,
  to: { readonly name: string; readonly backend: StorageBackend },
): Promise<void> {
  const bytes = Buffer.concat(await Array.fromAsync(from.open(address)));
  await putBytes(to.backend, address, bytes);
  const payload = { blake3: digestOf(address).bytes, backend: to.name, from: "primary" };
  const subject = objectSubject(address);
  await log.transact("copier", (tx) =>
    record(tx, [{ type: "v1.object.copied", subject, payload }]),
  );
}

/** What the log says of copies and backends, in its order: `damaged primary missing`. */
export async function copyEvents(registry: Registry): Promise<string[]> {
  const told: string[] = [];
  for (let after = 0; ;) {
    const { items, scannedTo, head } = await registry.readEvents({ after, limit: 1000 });
    for (const { type, payload } of items) {
      if (!isAboutCopies(type) || type === "v1.object.copied") continue;
      const fields = decodeCbor(payload) as Readonly<Record<string, string>>;
      const { backend, finding, reason, tier } = fields;
      const words = [type.split(".").at(-1), backend, finding ?? reason ?? tier];
      told.push(words.filter((word) => word !== undefined).join(" "));
    }
    if (scannedTo >= head) return told;
    after = scannedTo;
  }
}

/** What the log says each copy became, by `backend address`: `missing`, `corrupt`, or `ok` again. */
export async function copyStates(registry: Registry): Promise<Map<string, string[]>> {
  const states = new Map<string, string[]>();
  for (let after = 0; ;) {
    const { items, scannedTo, head } = await registry.readEvents({ after, limit: 1000 });
    for (const { type, subject, payload } of items) {
      if (type !== "v1.object.damaged" && type !== "v1.object.mended") continue;
      const { backend, finding = "ok" } = decodeCbor(payload) as Readonly<Record<string, string>>;
      const copy = `${backend} ${subject.replace("object:", "")}`;
      states.set(copy, [...(states.get(copy) ?? []), finding]);
    }
    if (scannedTo >= head) return states;
    after = scannedTo;
  }
}

/** Waits until reports that are under way are recorded. */
export async function settled(registry: Registry, events: readonly string[]): Promise<void> {
  await expect.poll(() => copyEvents(registry), { timeout: 5_000 }).toEqual(events);
}

/** A backend of which some verbs are another's. */
export function withOverrides(
  inner: StorageBackend,
  overrides: Partial<StorageBackend>,
): StorageBackend {
  return new Proxy(inner, {
    get: (target, name) => {
      const value: unknown = Reflect.get(name in overrides ? overrides : target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
