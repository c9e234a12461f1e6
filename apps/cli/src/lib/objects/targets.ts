import { formatCoordinates, parseContentAddress, parseReference } from "@store/identity";
import type { ContentAddress } from "@store/identity";
import type { FileInfo, PackageInfo } from "@store/registry";

import { allItems } from "../pages.ts";
import type { StoreService } from "../store-service.ts";

/** An object that was named by its address, or as a file of a package. */
export interface ObjectTarget {
  readonly address: ContentAddress;
  /** `acme/app@1.2.0 bin/app`, where it was named so. */
  readonly name?: string;
}

/** Told of what resolving a reference has to say. */
type Warn = (warnings: readonly string[]) => void;

/** Whether a text is meant as a content address. */
export function isAddressText(text: string): boolean {
  return /^(blake3|sha256):/.test(text);
}

/**
 * Refuses what is neither an address nor a reference, before anything is opened.
 *
 * @throws {StoreError} `invalid_digest` or `invalid_reference`
 */
export function assertTarget(text: string): void {
  if (isAddressText(text)) parseContentAddress(text);
  else parseReference(text);
}

/** The objects of a text: that of an address, or all files of a package, or the one at a path. */
export async function* objectTargets(
  store: StoreService,
  text: string,
  path: string | undefined,
  warn: Warn,
): AsyncGenerator<ObjectTarget> {
  if (isAddressText(text)) {
    yield { address: parseContentAddress(text) };
    return;
  }
  const { package: info, warnings } = await store.resolve(text);
  warn(warnings);
  if (path !== undefined) {
    yield targetOf(info, await store.statFile(info.id, path));
    return;
  }
  const seen = new Set<ContentAddress>();
  for await (const file of allItems((page) => store.listFiles(info.id, page))) {
    // Files that are the same are one object.
    if (seen.has(file.address)) continue;
    seen.add(file.address);
    yield targetOf(info, file);
  }
}

function targetOf(info: PackageInfo, { address, path }: FileInfo): ObjectTarget {
  return { address, name: `${formatCoordinates(info)} ${path}` };
}
