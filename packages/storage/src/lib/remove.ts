import { type ContentAddress, StoreError } from "@store/identity";
import type { ObjectInspector, ObjectRemover, ObjectStat } from "./contract.ts";

/**
 * Removes an object durably and returns what was removed, undefined where there was nothing. That
 * it is gone is looked at, not believed: throws `storage_unavailable` if it still stands.
 */
export async function removeObject(
  backend: ObjectRemover & ObjectInspector,
  address: ContentAddress,
): Promise<ObjectStat | undefined> {
  const removed = await backend.stat(address);
  await backend.remove(address);
  if ((await backend.stat(address)) === undefined) return removed;
  throw new StoreError(
    "storage_unavailable",
    `The object ${address} still stands after it was removed; somebody may have stored it again.`,
    { context: { reference: address } },
  );
}
