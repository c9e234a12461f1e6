/** One page of a list; pass `cursor` back to get the next, absent at the end. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly cursor?: string;
}

/** A page with each item written otherwise. */
export function mapPage<T, U>(page: PageLike<T>, map: (item: T) => U): MutablePage<U> {
  const { items, cursor } = page;
  return { items: items.map((item) => map(item)), ...(cursor === undefined ? {} : { cursor }) };
}

interface PageLike<T> {
  readonly items: readonly T[];
  readonly cursor?: string | undefined;
}

interface MutablePage<T> {
  items: T[];
  cursor?: string;
}
