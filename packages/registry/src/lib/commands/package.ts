import { createdPackageRow, unyankedPackage, yankedPackage } from "../projections/packages.ts";
import {
  findFinalizedPackage,
  findPackageIfAny,
  findRetentionClass,
  assertOpen,
  refuseClaimed,
} from "../queries/find.ts";
import { packageInfo, packageSummary } from "../queries/rows.ts";
import { packageSubject, rowSubject } from "../events/subjects.ts";
import { addMilliseconds } from "../times.ts";
import type { CreatePackageInput, PackageInfo, PackageSummary } from "../types.ts";
import { together } from "../together.ts";
import { changed, unchanged, type Decide } from "./decision.ts";
import { refuseHeld } from "./hold.ts";

export interface CreatePackage extends Omit<CreatePackageInput, "metadata" | "metadataSchema"> {
  readonly packageId: string;
  readonly retentionClass: string;
  /** The metadata's canonical JSON, already held against its schema. */
  readonly metadata?: Uint8Array;
  /** `name@revision` */
  readonly metadataSchema?: string;
  readonly openPackageMs: number;
}

/** Opens a package; its coordinates are claimed only by finalizing. */
export function createPackage(command: CreatePackage): Decide<PackageInfo> {
  return async ({ sql, now }) => {
    const { namespace, name, version, variant, packageId } = command;
    await together([
      refuseClaimed(sql, { namespace, name, version, variant: variant ?? "" }),
      findRetentionClass(sql, command.retentionClass),
    ]);
    return changed(
      {
        type: "v1.package.created",
        subject: packageSubject(command, packageId),
        payload: {
          package_id: packageId,
          namespace,
          name,
          version,
          variant,
          metadata: command.metadata,
          metadata_schema: command.metadataSchema,
          retention_class: command.retentionClass,
          source: command.source,
          build: command.build,
          open_until: addMilliseconds(now, command.openPackageMs),
        },
      },
      (event) => {
        const { metadata, ...row } = createdPackageRow(event);
        return packageInfo(row, metadata);
      },
    );
  };
}

/** Ends an open package; `lapsed` only one whose time is over. Answers whether it did. */
export function abandonPackage(packageId: string, reason: "abandoned" | "lapsed"): Decide<boolean> {
  return async ({ sql, now }) => {
    const row = await findPackageIfAny(sql, packageId);
    // It was abandoned before, or never was: either way it is not there, as was asked.
    if (row === undefined) return unchanged(false);
    assertOpen(row);
    if (reason === "lapsed" && (row.openExpiresAt ?? "") > now) return unchanged(false);
    await refuseHeld(sql, row);
    return changed(
      {
        type: "v1.package.abandoned",
        subject: rowSubject(row),
        payload: { package_id: packageId, reason },
      },
      () => true,
    );
  };
}

/** Marks a finalized package as one that nobody should newly choose. */
export function yankPackage(packageId: string, reason: string | undefined): Decide<PackageSummary> {
  return async ({ sql }) => {
    const row = await findFinalizedPackage(sql, packageId);
    if (row.status === "yanked" && row.yankReason === (reason ?? null)) {
      return unchanged(packageSummary(row));
    }
    return changed(
      {
        type: "v1.package.yanked",
        subject: rowSubject(row),
        payload: { package_id: packageId, reason },
      },
      (event) => packageSummary({ ...row, ...yankedPackage(event) }),
    );
  };
}

/** Takes a yank back; of a package that is not yanked it is success. */
export function unyankPackage(packageId: string): Decide<PackageSummary> {
  return async ({ sql }) => {
    const row = await findFinalizedPackage(sql, packageId);
    if (row.status !== "yanked") return unchanged(packageSummary(row));
    return changed(
      {
        type: "v1.package.unyanked",
        subject: rowSubject(row),
        payload: { package_id: packageId },
      },
      () => packageSummary({ ...row, ...unyankedPackage() }),
    );
  };
}
