import { open, rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

import { contentAddress, isStoreError, StoreError, type ContentAddress } from "@store/identity";
import { decodeManifest, fileContentAddress, manifestDigest } from "@store/manifest";
import type { PackageInfo } from "@store/registry";

import { fileBounds, forEachBounded } from "./bounded.ts";
import { Progress } from "./progress.ts";
import type { StoreService } from "./store-service.ts";
import { systemCode, systemError } from "./system-error.ts";
import { indistinct, TargetFolder } from "./target-folder.ts";

/** How long it takes, about, until an instance has recorded what it found out about a copy. */
const untilKnownMs = 500;

export interface PullRequest {
  readonly package: PackageInfo;
  readonly folder: string;
  /** Overwrites files that are there. */
  readonly force: boolean;
}

export interface PullOutcome {
  /** Absolute. */
  readonly folder: string;
  readonly files: number;
  readonly sizeBytes: number;
}

interface PulledFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly executable: boolean;
  readonly address: ContentAddress;
}

/**
 * Writes a package's files below a folder. What they are is read from the manifest, whose digest
 * names the package, and every byte is verified while it is written.
 */
export async function pullPackage(
  store: StoreService,
  request: PullRequest,
  signal: AbortSignal,
): Promise<PullOutcome> {
  const { package: info, folder, force } = request;
  const files = await readFiles(store, info);
  const paths = files.map((file) => file.path);
  const target = await TargetFolder.inspect(folder, paths, { force });
  const sizeBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0);
  await target.prepare();
  try {
    using progress = new Progress("pulling", { files: files.length, sizeBytes });
    await forEachBounded(files, { ...fileBounds, signal }, async (file, stop) => {
      const place = await target.stage(file.path);
      const write = () => writeFile(place, file, read(store, info, file, stop), progress);
      await write().catch(async (error: unknown) => {
        // Once it is known that a copy is damaged, another is read first, if there is any.
        if (!isStoreError(error, "object_corrupt")) throw error;
        await sleep(untilKnownMs, undefined, { signal: stop });
        await rm(place, { force: true });
        await write();
      });
    });
    await target.publish(paths);
  } catch (error) {
    await target.discard();
    throw error;
  }
  return { folder: target.folder, files: files.length, sizeBytes };
}

async function readFiles(store: StoreService, info: PackageInfo): Promise<PulledFile[]> {
  const bytes = await store.getManifestBytes(info.id, "cbor");
  const actual = contentAddress(await manifestDigest(bytes));
  if (actual !== info.manifestDigest) {
    throw new StoreError("object_corrupt", "The manifest does not have the package's digest.", {
      context: { expected: info.manifestDigest ?? null, actual },
    });
  }
  const manifest = await decodeManifest(bytes);
  return manifest.files.map((file) => ({
    path: file.path,
    sizeBytes: file.size,
    executable: file.executable ?? false,
    address: fileContentAddress(file),
  }));
}

async function* read(
  store: StoreService,
  info: PackageInfo,
  expected: PulledFile,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const { file, verified, body } = await store.getFile(info.id, expected.path, { signal });
  if (file.address !== expected.address || verified !== "whole") {
    throw new StoreError("log_corrupt", `The manifest has another object at ${expected.path}.`, {
      context: { path: expected.path, expected: expected.address, actual: file.address },
    });
  }
  yield* body;
}

async function writeFile(
  place: string,
  file: PulledFile,
  source: AsyncIterable<Uint8Array>,
  progress: Progress,
): Promise<void> {
  try {
    await using handle = await open(place, "wx", file.executable ? 0o777 : 0o666);
    for await (const chunk of source) {
      await handle.writeFile(chunk);
      progress.addBytes(chunk.byteLength);
    }
  } catch (error) {
    if (systemCode(error) === "EEXIST") throw indistinct(file.path, error);
    throw systemError(error, "write", file.path);
  }
  progress.addFile();
}
