import { contentAddress, type ContentAddress } from "@store/identity";
import { decodeManifest, fileDualDigest, type ManifestFile } from "@store/manifest";
import { verifyObject } from "@store/storage";

import type { Instance } from "../instance.ts";
import { findFinalizedPackage, rowReference } from "../queries/find.ts";
import { manifestBytes } from "../queries/manifest.ts";
import type { PackageRow } from "../queries/rows.ts";
import type { VerifyOptions, VerifyProblem, VerifyReport } from "../types.ts";

/** Objects read at the same time. */
const concurrency = 4;

/**
 * Reads every object that the package's manifest names and recomputes both digests; holds the
 * manifest itself against the digest that identifies the package. Each object is read once.
 */
export async function verifyPackage(
  instance: Instance,
  packageId: string,
  options: VerifyOptions = {},
): Promise<VerifyReport> {
  const row = await findFinalizedPackage(instance.database.reader, packageId);
  const bytes = await manifestBytes(instance.log, row);
  const problems = manifestProblems(instance, row, bytes);
  const { files } = await decodeManifest(bytes);
  const verified = options.verified ?? new Set<ContentAddress>();
  let filesDone = 0;
  let sizeBytes = 0;
  const queue = files.values();
  const worker = async (): Promise<void> => {
    for (const file of queue) {
      options.signal?.throwIfAborted();
      const problem = await fileProblem(instance, file, verified, options.signal);
      if (problem !== undefined) problems.push(problem);
      filesDone += 1;
      sizeBytes += file.size;
      options.onProgress?.({ files: filesDone, sizeBytes });
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  return {
    packageId,
    reference: rowReference(row),
    fileCount: files.length,
    sizeBytes,
    problems: problems.toSorted((a, b) => ((a.path ?? "") < (b.path ?? "") ? -1 : 1)),
  };
}

function manifestProblems(instance: Instance, row: PackageRow, bytes: Uint8Array): VerifyProblem[] {
  const actual = contentAddress(instance.manifestDigest(bytes));
  if (actual === row.manifestDigest) return [];
  return [
    {
      code: "log_corrupt",
      message:
        `The manifest of ${rowReference(row)} has the digest ${actual}, ` +
        `not ${row.manifestDigest ?? "one at all"}.`,
    },
  ];
}

async function fileProblem(
  { primary }: Instance,
  file: ManifestFile,
  verified: Set<ContentAddress>,
  signal: AbortSignal | undefined,
): Promise<VerifyProblem | undefined> {
  const { primary: digest, ...expect } = fileDualDigest(file);
  const address = contentAddress(digest);
  if (verified.has(address)) return undefined;
  const outcome = await verifyObject(primary, address, {
    expect,
    ...(signal === undefined ? {} : { signal }),
  });
  switch (outcome.status) {
    case "ok":
      verified.add(address);
      return undefined;
    case "missing":
      return {
        path: file.path,
        address,
        code: "object_not_found",
        message: `The object of "${file.path}" is gone.`,
      };
    case "corrupt":
      return {
        path: file.path,
        address,
        code: "object_corrupt",
        message:
          `The object of "${file.path}" is damaged: ` +
          `${outcome.actual} where ${outcome.expected} is recorded.`,
      };
  }
}
