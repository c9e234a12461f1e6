import type { ContentAddress } from "@store/identity";
import type { ObjectStat } from "@store/storage";
import { algorithms } from "./layout.ts";
import { listKeys } from "./requests/listing.ts";
import type { Place } from "./place.ts";

/**
 * Every object above `after`: the order of keys is that of addresses, algorithm by algorithm. What
 * has another key than an object of the layout is passed over. Throws `StoreError`s.
 */
export async function* enumerateObjects(
  place: Place,
  after: ContentAddress | undefined,
): AsyncGenerator<ObjectStat, void, undefined> {
  const { layout } = place;
  for (const algorithm of algorithms) {
    if (after !== undefined && after.slice(0, after.indexOf(":")) > algorithm) continue;
    const within = after?.startsWith(`${algorithm}:`) ? layout.object(after) : undefined;
    for await (const { key, sizeBytes } of listKeys(place, layout.objectsOf(algorithm), within)) {
      const address = layout.addressOf(key);
      if (address !== undefined) yield { address, sizeBytes };
    }
  }
}
