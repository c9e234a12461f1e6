import { randomBytes } from "node:crypto";

import { StoreError } from "@store/identity";
import { ingestStream } from "@store/storage";

import { backendOf, type CopyContext } from "./context.ts";
import { at } from "./failure.ts";

/** Of bytes that nobody else has, so that whoever finds them has found the place. */
const probeBytes = 32;

/**
 * Throws unless what is removed from one backend stays at another. Settings can name the same folder
 * or bucket twice, in ways that do not look alike; then the other's copy is the one that is removed.
 * So an object that is nobody's is put at the other and looked for at the one, and taken away again.
 *
 * @throws {StoreError} `invalid_argument` where it is found; a `BackendFailure` where nobody can tell
 */
async function assertApart(context: CopyContext, keeper: string, leaving: string): Promise<void> {
  const { instance } = context;
  const backend = backendOf(instance, keeper);
  const admit = async () => "write" as const;
  const lease = await instance.leases.process();
  const { address } = await at(keeper, ingestStream(backend, probe(), { lease, admit }));
  try {
    const found = await at(leaving, backendOf(instance, leaving).stat(address));
    if (found !== undefined) throw samePlace(keeper, leaving);
  } finally {
    // What is left of it if this fails is an object that nothing refers to.
    await backend.remove(address).catch(() => undefined);
  }
}

/** The same, asked once for each of the others. */
export function apartFrom(
  leaving: string,
): (context: CopyContext, keeper: string) => Promise<void> {
  const asked = new Map<string, Promise<void>>();
  return async (context, keeper) => {
    const answer = asked.get(keeper) ?? assertApart(context, keeper, leaving);
    asked.set(keeper, answer);
    try {
      await answer;
    } catch (error) {
      if (asked.get(keeper) === answer) asked.delete(keeper);
      throw error;
    }
  };
}

async function* probe(): AsyncGenerator<Uint8Array> {
  yield randomBytes(probeBytes);
}

function samePlace(keeper: string, leaving: string): StoreError {
  return new StoreError(
    "invalid_argument",
    `The backends "${keeper}" and "${leaving}" lead to the same place: what is removed from one is ` +
      "gone from both. Correct the settings; nothing was removed.",
    { context: { actual: leaving } },
  );
}
