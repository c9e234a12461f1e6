import { uploadFiles, type UploadSource } from "@store/client";
import { formatCoordinates, isStoreError, StoreError } from "@store/identity";
import type { CreatePackageInput, PackageInfo } from "@store/registry";

import { printError } from "./output.ts";
import { printable } from "./printable.ts";
import { Progress, type ProgressTotals } from "./progress.ts";
import { surveySources, walkSources, type PushSources } from "./push-sources.ts";
import { readSourceFile } from "./source-file.ts";
import type { StoreService } from "./store-service.ts";
import { folderIdentity, type TreeOptions } from "./tree.ts";

/** Fsync and not copying bounds many small files, so many of them wait together. */
const filesAtOnce = 64;

export interface PushRequest {
  readonly package: CreatePackageInput;
  readonly sources: PushSources;
  readonly tree: Omit<TreeOptions, "instance">;
  /** The folder of an instance on this machine, which is never part of what is pushed to it. */
  readonly instanceFolder?: string | undefined;
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
  store: StoreService,
  request: PushRequest,
  signal: AbortSignal,
): Promise<PushOutcome> {
  const { instanceFolder: folder } = request;
  const instance = folder === undefined ? undefined : await folderIdentity(folder);
  const tree = { ...request.tree, instance };
  const totals = await surveySources(request.sources, { ...tree, signal });
  const open = await store.createPackage(request.package);
  let isFinalized = false;
  try {
    const work = { sources: request.sources, tree, totals, isLocal: folder !== undefined };
    const stored = await pushFiles(store, open, work, signal);
    signal.throwIfAborted();
    const finalized = await store.finalizePackage(open.id);
    isFinalized = true;
    await setTags(store, finalized.package, request.tags);
    return { package: finalized.package, tags: request.tags, ...stored };
  } catch (error) {
    if (!isFinalized) await abandon(store, open.id);
    throw error;
  }
}

interface PushWork {
  readonly sources: PushSources;
  readonly tree: TreeOptions;
  /** Whether it goes to an instance on this machine. */
  readonly isLocal: boolean;
}

/** Sends the files, only those whose bytes are not there, and stdin after them. */
async function pushFiles(
  store: StoreService,
  { id: packageId, retentionClass }: PackageInfo,
  work: PushWork & { readonly totals: ProgressTotals },
  signal: AbortSignal,
): Promise<{ newObjects: number; newBytes: number }> {
  const { sources, totals } = work;
  // How much stdin will say, nobody knows.
  using progress = new Progress("pushing", sources.stdinPath === undefined ? totals : undefined);
  const uploaded = await uploadFiles(store, packageId, uploadSources(work, signal), {
    signal,
    retentionClass,
    concurrency: filesAtOnce,
    onProgress: ({ files, bytes }) => progress.set(files, bytes),
  });
  const { newObjects, newBytes, files, bytes } = uploaded;
  if (sources.stdinPath === undefined) return { newObjects, newBytes };
  const added = await store.ingestFile(packageId, sources.stdinPath, process.stdin, {
    executable: false,
    signal,
    onProgress: (sizeBytes) => progress.set(files, bytes + sizeBytes),
  });
  if (added.deduplicated) return { newObjects, newBytes };
  return { newObjects: newObjects + 1, newBytes: newBytes + added.sizeBytes };
}

async function* uploadSources(
  { sources, tree, isLocal }: PushWork,
  signal: AbortSignal,
): AsyncGenerator<UploadSource> {
  // An instance takes a chunk before it asks for the next; a connection may still be sending it.
  const options = { follow: tree.follow, signal, reuse: isLocal };
  for await (const file of walkSources(sources, tree)) {
    const { path, sizeBytes, executable } = file;
    const open: UploadSource["open"] = (range) => readSourceFile(file, { ...options, range });
    yield { path, sizeBytes, executable, open };
  }
}

async function setTags(
  store: StoreService,
  finalized: PackageInfo,
  tags: readonly string[],
): Promise<void> {
  for (const tag of tags) {
    try {
      await store.setTag({ packageId: finalized.id, tag });
    } catch (error) {
      if (!isStoreError(error)) throw error;
      const message = `${formatCoordinates(finalized)} is finalized, but not tagged '${tag}': `;
      const { code, context } = error;
      throw new StoreError(code, message + error.message, { cause: error, context });
    }
  }
}

async function abandon(store: StoreService, packageId: string): Promise<void> {
  try {
    await store.abandonPackage(packageId);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    printError(
      "warning",
      printable(`The open package ${packageId} stays until it lapses: ${reason}`),
    );
  }
}
