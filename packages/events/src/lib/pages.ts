import { pageLimits } from "./query.ts";
import { readPage, type LogPlace } from "./read.ts";
import type { EventPage, StoredEvent } from "./stored-event.ts";

/**
 * The events above `after` and up to `upTo`, page by page. While a page is worked on, the next
 * one is already being read.
 */
export async function* pagesOf(
  place: LogPlace,
  after: number,
  upTo: number,
): AsyncGenerator<readonly StoredEvent[], void, undefined> {
  const read = (from: number): Promise<EventPage> => {
    const query = { after: from, before: upTo + 1, limit: pageLimits.events };
    const page = readPage(place, query);
    // Whoever stops early never asks how this reading ended.
    page.catch(() => undefined);
    return page;
  };
  let reading: Promise<EventPage> | undefined = read(after);
  while (reading !== undefined) {
    const page: EventPage = await reading;
    const last = page.events.at(-1);
    reading = page.complete || last === undefined ? undefined : read(last.seq);
    if (page.events.length > 0) yield page.events;
  }
}
