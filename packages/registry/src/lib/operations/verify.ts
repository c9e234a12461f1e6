import { isStoreError, StoreError, type ContentAddress } from "@store/identity";
import {
  decodeManifest,
  fileContentAddress,
  fileDualDigest,
  type Manifest,
  type ManifestFile,
} from "@store/manifest";

import type { Instance } from "../instance.ts";
import { copyVerifier, type BadCopy } from "../placement/verifying.ts";
import { Pace } from "../pace.ts";
import { allFiles } from "../queries/files.ts";
import { findFinalizedPackage, rowReference } from "../queries/find.ts";
import { manifestBytes } from "../queries/manifest.ts";
import type { FileRow, PackageRow } from "../queries/rows.ts";
import type { Scope } from "../scope.ts";
import type { VerifyOptions, VerifyProblem, VerifyReport } from "./types.ts";

/** Objects read at the same time. */
const concurrency = 4;

/**
 * Holds a package's manifest against the digest that identifies it, the files that it lists against
 * the views, and every byte of every object, each read once, against both of its digests.
 */
export async function verifyPackage(
  instance: Instance,
  packageId: string,
  options: VerifyOptions,
  scope: Scope,
): Promise<VerifyReport> {
  const row = await findFinalizedPackage(instance.database.reader, packageId, scope);
  const report = { packageId, reference: rowReference(row) };
  let manifest: Manifest;
  try {
    manifest = await readManifest(instance, row);
  } catch (error) {
    if (!isStoreError(error, "log_corrupt")) throw error;
    const problem = { code: "log_corrupt", message: error.message } as const;
    return { ...report, fileCount: 0, sizeBytes: 0, problems: [problem] };
  }
  const { files } = manifest;
  const problems = [
    ...(await compareViews(instance, packageId, files)),
    ...(await readObjects(instance, files, options)),
  ];
  return {
    ...report,
    fileCount: files.length,
    sizeBytes: files.reduce((sum, { size }) => sum + size, 0),
    problems: problems.sort(byPath),
  };
}

/** @throws {StoreError} `log_corrupt` where the recorded bytes are not the package's manifest */
async function readManifest({ log }: Instance, row: PackageRow): Promise<Manifest> {
  const bytes = await manifestBytes(log, row);
  try {
    return await decodeManifest(bytes);
  } catch (cause) {
    const message = `What the log holds as the manifest of ${rowReference(row)} is none.`;
    throw new StoreError("log_corrupt", message, { cause });
  }
}

/** What is listed and served is read from a view, which may have been tampered with. */
async function compareViews(
  { database: { reader } }: Instance,
  packageId: string,
  files: readonly ManifestFile[],
): Promise<VerifyProblem[]> {
  const problems: VerifyProblem[] = [];
  const unseen = new Map(files.map((file) => [file.path, file]));
  for await (const rows of allFiles(reader, packageId)) {
    for (const row of rows) {
      const file = unseen.get(row.path);
      if (file === undefined || !isSameFile(row, file)) problems.push(contradiction(row.path));
      unseen.delete(row.path);
    }
  }
  for (const path of unseen.keys()) problems.push(contradiction(path));
  return problems;
}

function isSameFile(row: FileRow, file: ManifestFile): boolean {
  return (
    row.sizeBytes === file.size &&
    row.contentAddress === fileContentAddress(file) &&
    Buffer.compare(row.digestSha256, file.digests.sha256) === 0 &&
    row.mediaType === (file.media_type ?? null) &&
    row.executable === (file.executable ?? false)
  );
}

function contradiction(path: string): VerifyProblem {
  const message = `The views say of "${path}" what the manifest does not. Rebuild them from the log.`;
  return { path, code: "log_corrupt", message };
}

/** Reads every object once, however many files share it. */
async function readObjects(
  instance: Instance,
  files: readonly ManifestFile[],
  options: VerifyOptions,
): Promise<VerifyProblem[]> {
  const { lifetime } = instance;
  const verified = options.verified ?? new Set<ContentAddress>();
  const failure = new AbortController();
  const signal = AbortSignal.any([lifetime.signalWith(options.signal), failure.signal]);
  const problems: VerifyProblem[] = [];
  const done = { files: 0, sizeBytes: 0 };
  const objects = (await groupByObject(files)).entries();
  const verifyCopies = await copyVerifier(instance);
  const pace = new Pace();
  const work = async (): Promise<void> => {
    for (const [address, sharing] of objects) {
      await pace.keep();
      if (signal.aborted) throw aborted(signal);
      const [file] = sharing;
      if (file !== undefined && !verified.has(address)) {
        const { primary: _, ...expect } = fileDualDigest(file);
        const found = await verifyCopies(address, { expect, signal });
        if (found.length === 0) verified.add(address);
        for (const { path } of sharing) {
          problems.push(...found.map((bad) => objectProblem(path, address, bad)));
        }
      }
      done.files += sharing.length;
      done.sizeBytes += sharing.reduce((sum, { size }) => sum + size, 0);
      options.onProgress?.({ ...done });
    }
  };
  // The first failure ends the others' reading too, and none goes on behind the caller's back.
  const workers = Array.from({ length: concurrency }, () =>
    work().catch((error: unknown) => {
      failure.abort(error);
      throw error;
    }),
  );
  await Promise.allSettled(workers);
  if (failure.signal.aborted) throw lifetime.reasonOf(failure.signal.reason);
  return problems;
}

async function groupByObject(
  files: readonly ManifestFile[],
): Promise<Map<ContentAddress, ManifestFile[]>> {
  const pace = new Pace();
  const objects = new Map<ContentAddress, ManifestFile[]>();
  for (const file of files) {
    const address = fileContentAddress(file);
    const sharing = objects.get(address);
    if (sharing === undefined) objects.set(address, [file]);
    else sharing.push(file);
    await pace.keep();
  }
  return objects;
}

function objectProblem(path: string, address: ContentAddress, bad: BadCopy): VerifyProblem {
  const { backend, outcome } = bad;
  const at = backend === undefined ? "" : ` at the backend "${backend}"`;
  const whole = backend === undefined ? "" : " Another copy is whole.";
  const about = { path, address, ...(backend === undefined ? {} : { backend }) };
  if (outcome.status === "missing") {
    const message = `The object of "${path}" is gone${at}.${whole}`;
    return { ...about, code: "object_not_found", message };
  }
  const { expected, actual } = outcome;
  const unit = typeof expected === "number" ? " bytes" : "";
  const facts = `${actual}${unit} where ${expected}${unit} ${unit === "" ? "is" : "are"} recorded`;
  const message = `The object of "${path}" is damaged${at}: ${facts}.${whole}`;
  return { ...about, code: "object_corrupt", message };
}

function byPath({ path: one = "" }: VerifyProblem, { path: other = "" }: VerifyProblem): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

function aborted(signal: AbortSignal): StoreError {
  return new StoreError("aborted", "Verifying was given up: its signal was aborted.", {
    cause: signal.reason,
  });
}
