import type { Page, PageOptions } from "@store/registry";

const pageLimit = 1000;

/** Every page of a list, one after the other. */
export async function* allPages<T>(
  list: (page: PageOptions) => Promise<Page<T>>,
): AsyncGenerator<readonly T[]> {
  let cursor: string | undefined;
  do {
    const page = await list({ limit: pageLimit, ...(cursor === undefined ? {} : { cursor }) });
    yield page.items;
    cursor = page.cursor;
  } while (cursor !== undefined);
}

/** Every item of a list. */
export async function* allItems<T>(
  list: (page: PageOptions) => Promise<Page<T>>,
): AsyncGenerator<T> {
  for await (const items of allPages(list)) yield* items;
}

/** Every item of a short list at once. */
export async function collectItems<T>(list: (page: PageOptions) => Promise<Page<T>>): Promise<T[]> {
  const all: T[] = [];
  for await (const items of allPages(list)) all.push(...items);
  return all;
}

/** Pages cut off after so many items, where a limit is given. */
export async function* limitPages<T>(
  pages: AsyncIterable<readonly T[]>,
  limit: number | undefined,
): AsyncGenerator<readonly T[]> {
  let left = limit ?? Infinity;
  for await (const items of pages) {
    yield items.slice(0, left);
    left -= items.length;
    if (left <= 0) return;
  }
}
