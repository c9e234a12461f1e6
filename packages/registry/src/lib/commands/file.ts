import {
  contentAddress,
  Digest,
  StoreError,
  type ContentAddress,
  type DualDigest,
} from "@store/identity";

import type { Decide, Decision, View } from "./run.ts";
import { limits } from "../limits.ts";
import { findFile, findObject, findOpenPackage, rowReference } from "../queries/find.ts";
import { refuseTakenPath } from "../queries/taken-path.ts";
import type { PackageRow } from "../queries/rows.ts";
import { rowSubject } from "../events/subjects.ts";
import { addMilliseconds } from "../times.ts";
import type { AddedFile } from "../types.ts";

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

/** Records a file whose object the caller holds under a lease. */
export function addStoredFile(placement: FilePlacement, object: StoredObject): Decide<AddedFile> {
  return async (view) => {
    const row = await findOpenPackage(view.sql, placement.packageId);
    return decideAdded(view, row, placement, object);
  };
}

/** Records a file by the address of an object that the instance knows; no byte is read. */
export function addKnownFile(
  placement: FilePlacement,
  address: ContentAddress,
  backend: string,
): Decide<AddedFile> {
  return async (view) => {
    const row = await findOpenPackage(view.sql, placement.packageId);
    const object = await findObject(view.sql, address);
    if (object === undefined) throw unknownObject(address);
    const digest = {
      primary: Digest.of("blake3", object.digestPrimary),
      sha256: Digest.of("sha256", object.digestSha256),
      sizeBytes: object.sizeBytes,
    };
    return decideAdded(view, row, placement, { digest, backend, deduplicated: true });
  };
}

/** Takes a file out of an open package; `file_not_found` where it has none at the path. */
export function removeFile(command: {
  readonly packageId: string;
  readonly path: string;
  readonly openPackageMs: number;
}): Decide<null> {
  return async ({ sql, now }) => {
    const row = await findOpenPackage(sql, command.packageId);
    const file = await findFile(sql, command.packageId, command.path);
    if (file === undefined) throw fileNotFound(row, command.path);
    return {
      events: [
        {
          type: "v1.file.removed",
          subject: rowSubject(row),
          payload: {
            package_id: command.packageId,
            path: command.path,
            size: file.sizeBytes,
            open_until: addMilliseconds(now, command.openPackageMs),
          },
        },
      ],
      answer: () => null,
    };
  };
}

/** The refusal of an object that is not there, or that the caller may not know of. */
export function unknownObject(address: ContentAddress): StoreError {
  return new StoreError(
    "object_not_found",
    `There is no object ${address} that you can read. Send its bytes instead.`,
    { context: { expected: address } },
  );
}

/** The refusal of a path at which the package has no file. */
export function fileNotFound(row: PackageRow, path: string): StoreError {
  return new StoreError("file_not_found", `${rowReference(row)} has no file at "${path}".`, {
    context: { reference: rowReference(row), path },
  });
}

async function decideAdded(
  { sql, now }: View,
  row: PackageRow,
  placement: FilePlacement,
  { digest, backend, deduplicated }: StoredObject,
): Promise<Decision<AddedFile>> {
  const { packageId, path, mediaType, executable } = placement;
  const replaced = await refuseTakenPath(sql, row, path, placement.replace);
  if (replaced === undefined && row.fileCount >= limits.filesPerPackage) throw tooManyFiles(row);
  const { primary, sha256, sizeBytes } = digest;
  return {
    events: [
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
          open_until: addMilliseconds(now, placement.openPackageMs),
        },
      },
    ],
    answer: () => ({
      path,
      sizeBytes,
      ...(mediaType === undefined ? {} : { mediaType }),
      executable,
      address: contentAddress(primary),
      sha256: contentAddress(sha256),
      deduplicated,
    }),
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
