import { formatCoordinates, isStoreError, StoreError, type ContentAddress } from "@store/identity";
import type { CreatePackageInput, PackageInfo, Registry } from "@store/registry";

import { fileBounds, forEachBounded } from "./bounded.ts";
import { printError } from "./output.ts";
import { printable } from "./printable.ts";
import { Progress, type ProgressTotals } from "./progress.ts";
import { surveySources, walkSources, type PushSources } from "./push-sources.ts";
import { readSourceFile, type SourceFile } from "./source-file.ts";
import { folderIdentity, type TreeOptions } from "./tree.ts";

export interface PushRequest {
  readonly package: CreatePackageInput;
  readonly sources: PushSources;
  readonly tree: Omit<TreeOptions, "instance">;
  /** The folder of the instance, which is never part of what is pushed to it. */
  readonly instanceFolder: string;
  /** Set once the package is finalized. */
  readonly tags: readonly string[];
}

export interface PushOutcome {
  readonly package: PackageInfo;
  readonly tags: readonly string[];
  /** What was not stored before. */
  readonly newObjects: number;
  readonly newBytes: number;
}

/**
 * Makes a package of the sources and finalizes it. Where it fails or is interrupted, it waits until
 * nothing is under way and abandons the open package, so that nothing stays behind.
 */
export async function pushPackage(
  registry: Registry,
  request: PushRequest,
  signal: AbortSignal,
): Promise<PushOutcome> {
  const instance = await folderIdentity(request.instanceFolder);
  const tree = { ...request.tree, instance };
  const totals = await surveySources(request.sources, { ...tree, signal });
  const open = await registry.createPackage(request.package);
  let isFinalized = false;
  try {
    const push = new Push(registry, open.id, request.sources, tree);
    const stored = await push.files(totals, signal);
    signal.throwIfAborted();
    const finalized = await registry.finalizePackage(open.id);
    isFinalized = true;
    await setTags(registry, finalized.package, request.tags);
    return { package: finalized.package, tags: request.tags, ...stored };
  } catch (error) {
    if (!isFinalized) await abandon(registry, open.id);
    throw error;
  }
}

class Push {
  readonly #registry: Registry;
  readonly #packageId: string;
  readonly #sources: PushSources;
  readonly #tree: TreeOptions;
  /** Of the same new content at two paths, either may be the one that is stored. */
  readonly #newObjects = new Set<ContentAddress>();
  #newBytes = 0;

  constructor(registry: Registry, packageId: string, sources: PushSources, tree: TreeOptions) {
    this.#registry = registry;
    this.#packageId = packageId;
    this.#sources = sources;
    this.#tree = tree;
  }

  async files(totals: ProgressTotals, signal: AbortSignal) {
    const [sources, tree] = [this.#sources, this.#tree];
    // How much stdin will say, nobody knows.
    using progress = new Progress("pushing", sources.stdinPath === undefined ? totals : undefined);
    const bounds = { ...fileBounds, signal };
    await forEachBounded(walkSources(sources, tree), bounds, async (file, stop) => {
      const bytes = readSourceFile(file, { follow: tree.follow, signal: stop });
      await this.#file(file, bytes, progress, stop);
    });
    if (sources.stdinPath !== undefined) {
      const file = { path: sources.stdinPath, executable: false };
      await this.#file(file, process.stdin, progress, signal);
    }
    return { newObjects: this.#newObjects.size, newBytes: this.#newBytes };
  }

  async #file(
    { path, executable }: Pick<SourceFile, "path" | "executable">,
    source: AsyncIterable<Uint8Array>,
    progress: Progress,
    signal: AbortSignal,
  ): Promise<void> {
    let doneBytes = 0;
    const added = await this.#registry.ingestFile(this.#packageId, path, source, {
      executable,
      signal,
      onProgress: (sizeBytes) => {
        progress.addBytes(sizeBytes - doneBytes);
        doneBytes = sizeBytes;
      },
    });
    progress.addFile();
    if (added.deduplicated || this.#newObjects.has(added.address)) return;
    this.#newObjects.add(added.address);
    this.#newBytes += added.sizeBytes;
  }
}

async function setTags(
  registry: Registry,
  finalized: PackageInfo,
  tags: readonly string[],
): Promise<void> {
  for (const tag of tags) {
    try {
      await registry.setTag({ packageId: finalized.id, tag });
    } catch (error) {
      if (!isStoreError(error)) throw error;
      const message = `${formatCoordinates(finalized)} is finalized, but not tagged '${tag}': `;
      const { code, context } = error;
      throw new StoreError(code, message + error.message, { cause: error, context });
    }
  }
}

async function abandon(registry: Registry, packageId: string): Promise<void> {
  try {
    await registry.abandonPackage(packageId);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    printError(
      "warning",
      printable(`The open package ${packageId} stays until it lapses: ${reason}`),
    );
  }
}
