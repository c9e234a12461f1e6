import { assertName, StoreError } from "@store/identity";
import type { StorageBackend } from "@store/storage";

import { listOf, objectOf, optionsOf, shown, textOf } from "../arguments.ts";
import type { PlacementOptions } from "./types.ts";

/** The placement of an open instance: every name is that of a backend. */
export interface Placement {
  readonly primary: string;
  readonly mirrors: readonly string[];
  /** All backends, each once, in the order in which copies are read. */
  readonly readOrder: readonly string[];
  /** The backend of a name, or undefined where none is configured. */
  backend(name: string): StorageBackend | undefined;
  /** Where a backend is, for people; undefined where nobody said so. */
  place(name: string): string | undefined;
}

type Backends = Readonly<Record<string, StorageBackend>>;

/**
 * @throws {StoreError} `invalid_argument` or `invalid_name` for backends or a placement that
 *   contradict each other or themselves
 */
export function placementOf(configured: Backends, options?: PlacementOptions): Placement {
  const backends = new Map(Object.entries(objectOf("backends", configured)));
  for (const [name, backend] of backends) {
    assertName(name);
    objectOf(`backend "${name}"`, backend);
  }
  const given = optionsOf(options, "placement");
  const { primary = "primary", mirrors = [], readOrder = [] } = given;
  const places = placesOf(given.places, backends);
  assertKnown("primary", [primary], backends);
  assertKnown("mirrors", mirrors, backends);
  assertKnown("readOrder", readOrder, backends);
  if (mirrors.includes(primary)) {
    throw wrong(`The backend ${shown(primary)} is the primary and a mirror of itself.`, primary);
  }
  return {
    primary,
    mirrors: [...mirrors],
    readOrder: [...new Set([...readOrder, primary, ...mirrors, ...backends.keys()])],
    backend: (name) => backends.get(name),
    place: (name) => places.get(name),
  };
}

/** Texts by name, and each name that of a backend. */
function placesOf(
  given: PlacementOptions["places"],
  backends: ReadonlyMap<string, StorageBackend>,
): ReadonlyMap<string, string> {
  const places = Object.entries(optionsOf(given, "places"));
  assertKnown(
    "places",
    places.map(([name]) => name),
    backends,
  );
  return new Map(places.map(([name, place]) => [name, textOf(`place of ${name}`, place)]));
}

/** Throws unless every name is that of a backend, and none is given twice. */
function assertKnown(
  what: keyof PlacementOptions,
  names: readonly string[],
  backends: ReadonlyMap<string, StorageBackend>,
): void {
  const seen = new Set<string>();
  for (const name of listOf(what, names)) {
    if (!backends.has(textOf(`name in ${what}`, name))) {
      const known = [...backends.keys()].join(", ") || "none";
      throw wrong(
        `The placement names ${shown(name)} as ${what}, and there is no such backend: ` +
          `there are ${known}.`,
        name,
      );
    }
    if (seen.has(name)) throw wrong(`The placement names ${shown(name)} twice as ${what}.`, name);
    seen.add(name);
  }
}

function wrong(message: string, actual: string): StoreError {
  return new StoreError("invalid_argument", `${message} Correct the placement.`, {
    context: { actual: shown(actual) },
  });
}
