import { contentAddress, Digest, type ContentAddress } from "@store/identity";

import type { RecordedEvent } from "../events/types.ts";

/** A copy of an object that a role should have. */
export interface WantedCopy {
  readonly address: ContentAddress;
  readonly backend: string;
  /** A package that has the object, by which a backend may choose how to keep it. */
  readonly packageId?: string;
}

/** The copies that events bring, each once. */
export function wantedCopies(events: readonly RecordedEvent[]): WantedCopy[] {
  const wanted = new Map<string, WantedCopy>();
  for (const event of events) {
    const copy = wantedCopy(event);
    if (copy !== undefined) wanted.set(keyOf(copy), copy);
  }
  return [...wanted.values()];
}

/** Names a copy. */
export function keyOf({ address, backend }: Pick<WantedCopy, "address" | "backend">): string {
  return `${backend} ${address}`;
}

function wantedCopy({ type, payload }: RecordedEvent): WantedCopy | undefined {
  switch (type) {
    case "v1.file.added": {
      const address = contentAddress(Digest.of("blake3", payload.digests.blake3));
      return { address, backend: payload.backend, packageId: payload.package_id };
    }
    case "v1.object.copied":
    case "v1.object.mended": {
      const address = contentAddress(Digest.of("blake3", payload.blake3));
      return { address, backend: payload.backend };
    }
    default:
      return undefined;
  }
}
