import type { ObjectStat } from "./contract.ts";

/**
 * Several enumerations in ascending order of address, as one in that order. Where an address is in
 * more than one, the first of them is taken. One item of each is held.
 */
export async function* mergedByAddress(
  enumerations: readonly AsyncIterable<ObjectStat>[],
): AsyncGenerator<ObjectStat> {
  const iterators = enumerations.map((items) => items[Symbol.asyncIterator]());
  const next = async (iterator: AsyncIterator<ObjectStat>): Promise<ObjectStat | undefined> => {
    const { done, value } = await iterator.next();
    return done === true ? undefined : value;
  };
  try {
    const heads = await Promise.all(iterators.map(next));
    for (;;) {
      const present = heads.filter((head) => head !== undefined);
      const lowest = present.reduce<ObjectStat | undefined>(
        (least, head) => (least === undefined || head.address < least.address ? head : least),
        undefined,
      );
      if (lowest === undefined) return;
      yield lowest;
      for (const [index, iterator] of iterators.entries()) {
        if (heads[index]?.address === lowest.address) heads[index] = await next(iterator);
      }
    }
  } finally {
    await Promise.allSettled(iterators.map(async (iterator) => iterator.return?.()));
  }
}
