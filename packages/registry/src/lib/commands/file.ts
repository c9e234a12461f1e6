import { contentAddress, StoreError, type ContentAddress, type DualDigest } from "@store/identity";

import { rowSubject } from "../events/subjects.ts";
import { limits } from "../limits.ts";
import { findRemovals } from "../copies/claims.ts";
import type { Placement } from "../placement/placement.ts";
import { findCopies } from "../queries/copies.ts";
import { fileNotFound, findFile, findOpenPackage, rowReference } from "../queries/find.ts";
import { findReadableObject } from "../queries/readable-objects.ts";
import type { PackageRow } from "../queries/rows.ts";
import { findOverlapping, refuseTakenPath } from "../queries/taken-path.ts";
import type { Caller } from "../scope.ts";
import { addMilliseconds } from "../times.ts";
import { together } from "../together.ts";
import type { AddedFile } from "../types.ts";
import { changed, type Decide, type View } from "./decision.ts";

/** A path in an open package, and what to record about it. */
export interface FilePlacement {
  readonly packageId: string;
  readonly path: string;
  readonly mediaType: string | undefined;
  readonly executable: boolean;
  readonly replace: boolean;
  readonly openPackageMs: number;
}

/** An object that the backend of a role is known to hold. */
export interface StoredObject {
  readonly digest: DualDigest;
  readonly backend: string;
  /** Whether it was there before this command. */
  readonly deduplicated: boolean;
}

/** Records a file whose object is known to be stored. */
export function addFile(
  placement: FilePlacement,
  { digest, backend, deduplicated }: StoredObject,
): Decide<AddedFile> {
  return async (view) => {
    const { packageId, path, mediaType, executable } = placement;
    const { row, replaced } = await findPlace(view, placement);
    const { primary, sha256, sizeBytes } = digest;
    return changed(
      {
        type: "v1.file.added",
        subject: rowSubject(row),
        payload: {
          package_id: packageId,
          path,
          size: sizeBytes,
          media_type: mediaType,
          executable: executable ? true : undefined,
          digests: { blake3: primary.bytes, sha256: sha256.bytes },
          backend,
          replaced_size: replaced?.sizeBytes,
          open_until: addMilliseconds(view.now, placement.openPackageMs),
        },
      },
      () => ({
        path,
        sizeBytes,
        ...(mediaType === undefined ? {} : { mediaType }),
        executable,
        address: contentAddress(primary),
        sha256: contentAddress(sha256),
        deduplicated,
      }),
    );
  };
}

/**
 * The same for an object that was there before: where its copy was removed or found damaged
 * meanwhile, another is named, if there is one.
 */
export function addFileAt(
  placement: FilePlacement,
  object: StoredObject,
  { readOrder }: Pick<Placement, "readOrder">,
): Decide<AddedFile> {
  if (readOrder.length === 1) return addFile(placement, object);
  return async (view) => {
    const address = contentAddress(object.digest.primary);
    const copies = await findCopies(view.sql, address);
    const removals = await findRemovals(view, address, readOrder);
    const isStaying = (name: string): boolean =>
      copies.some(({ backend, status }) => backend === name && status === "ok") &&
      !removals.includes(name);
    const backend = [object.backend, ...readOrder].find(isStaying) ?? object.backend;
    return addFile(placement, { ...object, backend })(view);
  };
}

/** Records a file by the address of an object that its caller may read; no byte is read. */
export function addKnownFile(
  placement: FilePlacement,
  known: {
    readonly address: ContentAddress;
    readonly caller: Caller;
    readonly backend: string;
    readonly at: Pick<Placement, "readOrder">;
  },
): Decide<AddedFile> {
  return async (view) => {
    const { address, caller, backend } = known;
    const digest = await findReadableObject(view, caller, address);
    return addFileAt(placement, { digest, backend, deduplicated: true }, known.at)(view);
  };
}

/**
 * The open package that a file is for, and the file that it replaces. Throws `package_finalized`,
 * `path_conflict` or `limit_exceeded` where it has no place.
 */
export async function findPlace(
  { sql }: Pick<View, "sql">,
  { packageId, path, replace }: FilePlacement,
) {
  const [row, overlapping] = await together([
    findOpenPackage(sql, packageId),
    findOverlapping(sql, packageId, path),
  ]);
  const replaced = refuseTakenPath(row, path, { overlapping, replace });
  if (replaced === undefined && row.fileCount >= limits.filesPerPackage) throw tooManyFiles(row);
  return { row, replaced };
}

/** Takes a file out of an open package; `file_not_found` where it has none at the path. */
export function removeFile(command: {
  readonly packageId: string;
  readonly path: string;
  readonly openPackageMs: number;
}): Decide<null> {
  return async ({ sql, now }) => {
    const { packageId, path } = command;
    const [row, file] = await together([
      findOpenPackage(sql, packageId),
      findFile(sql, packageId, path),
    ]);
    if (file === undefined) throw fileNotFound(row, path);
    return changed(
      {
        type: "v1.file.removed",
        subject: rowSubject(row),
        payload: {
          package_id: packageId,
          path,
          size: file.sizeBytes,
          open_until: addMilliseconds(now, command.openPackageMs),
        },
      },
      () => null,
    );
  };
}

function tooManyFiles(row: PackageRow): StoreError {
  return new StoreError(
    "limit_exceeded",
    `${rowReference(row)} has ${row.fileCount} files, and a package holds at most ` +
      `${limits.filesPerPackage}. Split it, or pack its small files into an archive.`,
    { context: { reference: rowReference(row), limit: limits.filesPerPackage } },
  );
}
