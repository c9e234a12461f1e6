import type { Instance } from "../instance.ts";
import type { CopyRow } from "../queries/copies.ts";
import { examineCopy, type Examined } from "./examine.ts";
import {
  countRows,
  knownObject,
  selectCopiesAt,
  selectCopiesOf,
  selectObjects,
  type KnownObject,
  type Place,
  type WalkPage,
} from "./rows.ts";
import type { Stop, Walk } from "./walk.ts";

interface CopyStop extends Stop {
  readonly object: KnownObject;
  readonly copy: CopyRow;
}

/** Every copy at a backend, or at all that are configured, read whole. */
export function verification(instance: Instance, backend: string | undefined): Walk<CopyStop> {
  const { database, placement } = instance;
  const place = { sql: database.reader, tables: database.tables };
  return {
    name: `verify:${backend ?? "*"}`,

    count: async () => {
      const names = backend === undefined ? placement.readOrder : [backend];
      const counts = await Promise.all(names.map((name) => countRows(place, name)));
      return counts.reduce((sum, count) => sum + count, 0);
    },

    page: (page) =>
      backend === undefined ? pageOfAll(place, instance, page) : pageOfOne(place, backend, page),

    ...(backend === undefined ? { backendOf: ({ copy }: CopyStop) => copy.backend } : {}),

    visit: async (context, { object, copy }, { tally, endurance }) => {
      const examined = await examineCopy(context, object, copy);
      endurance.succeededAt(copy.backend);
      tally.add({
        sizeBytes: examined.readBytes,
        changed: examined.outcome === "recorded" ? 1 : 0,
        skipped: examined.found === "archived" ? 1 : 0,
      });
      const problem = problemOf(object, copy, examined);
      if (problem !== undefined) {
        tally.problem({ address: object.address, backend: copy.backend }, problem);
      }
    },
  };
}

/** What is wrong with a copy; nothing if it was removed or written while it was read. */
function problemOf({ address }: KnownObject, { backend }: CopyRow, examined: Examined) {
  const { found, outcome } = examined;
  if (outcome === "moved" || found === "ok" || found === "archived") return undefined;
  const mend = `Mend it with "store objects replicate --to ${backend}".`;
  return found === "missing"
    ? ({
        code: "object_not_found",
        message: `${address} is gone from ${backend}. ${mend}`,
      } as const)
    : ({
        code: "object_corrupt",
        message: `${address} is damaged at ${backend}. ${mend}`,
      } as const);
}

interface CopyPage {
  readonly stops: readonly CopyStop[];
  readonly next?: string;
}

async function pageOfOne(place: Place, backend: string, page: WalkPage): Promise<CopyPage> {
  const rows = await selectCopiesAt(place, backend, page);
  const stops = rows.map(({ object, copy }): CopyStop => {
    const known = knownObject(object);
    return { address: known.address, isLast: true, object: known, copy };
  });
  return withNext(stops, rows.length < page.limit ? undefined : stops.at(-1)?.address);
}

/** The copies of a page of objects, at the backends that are configured. */
async function pageOfAll(place: Place, { placement }: Instance, page: WalkPage): Promise<CopyPage> {
  const objects = await selectObjects(place, page);
  const rows = await selectCopiesOf(
    place,
    objects.map(({ contentAddress }) => contentAddress),
  );
  const byAddress = Map.groupBy(rows, ({ contentAddress }) => contentAddress);
  const stops = objects.flatMap((object) => {
    const known = knownObject(object);
    const copies = (byAddress.get(known.address) ?? [])
      .filter(({ backend }) => placement.backend(backend) !== undefined)
      .toSorted((one, other) => (one.backend < other.backend ? -1 : 1));
    return copies.map((copy, index): CopyStop => {
      const isLast = index === copies.length - 1;
      return { address: known.address, isLast, object: known, copy };
    });
  });
  const next = objects.length < page.limit ? undefined : objects.at(-1)?.contentAddress;
  return withNext(stops, next);
}

function withNext(stops: readonly CopyStop[], next: string | undefined): CopyPage {
  return { stops, ...(next === undefined ? {} : { next }) };
}
