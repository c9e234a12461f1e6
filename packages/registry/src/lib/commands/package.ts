import type { Sql } from "@store/database";
import { isStoreError } from "@store/identity";

import { packageInfo, type PackageRow } from "../queries/rows.ts";
import type { Decide } from "./run.ts";
import { addMilliseconds } from "../times.ts";
import type { CreatePackageInput, PackageInfo } from "../types.ts";
import {
  findFinalizedPackage,
  findOpenPackage,
  findPackage,
  findRetentionClass,
  refuseClaimed,
} from "../queries/find.ts";
import { packageSubject, rowSubject } from "../events/subjects.ts";
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
    await Promise.all([
      refuseClaimed(sql, { namespace, name, version, variant: variant ?? "" }),
      findRetentionClass(sql, command.retentionClass),
    ]);
    return {
      events: [
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
      ],
      answer: async (view) => packageInfo(await findPackage(view.sql, packageId)),
    };
  };
}

/** Ends an open package; `lapsed` only one whose time is over. Answers whether it did. */
export function abandonPackage(packageId: string, reason: "abandoned" | "lapsed"): Decide<boolean> {
  return async ({ sql, tables, now }) => {
    const row = await findOpenOrGone(sql, packageId);
    const current = reason === "lapsed" && (row?.openExpiresAt ?? "") > now;
    if (row === undefined || current) return { events: [], answer: () => false };
    await refuseHeld(sql, tables, row);
    return {
      events: [
        {
          type: "v1.package.abandoned",
          subject: rowSubject(row),
          payload: { package_id: packageId, reason },
        },
      ],
      answer: () => true,
    };
  };
}

/** The open package's row, or undefined where it was abandoned before. */
async function findOpenOrGone(sql: Sql, packageId: string): Promise<PackageRow | undefined> {
  try {
    return await findOpenPackage(sql, packageId);
  } catch (error) {
    if (isStoreError(error, "package_not_found")) return undefined;
    throw error;
  }
}

/** Marks a finalized package as one that nobody should newly choose. */
export function yankPackage(packageId: string, reason: string | undefined): Decide<PackageInfo> {
  return async ({ sql }) => {
    const row = await findFinalizedPackage(sql, packageId);
    const unchanged = row.status === "yanked" && row.yankReason === (reason ?? null);
    return {
      events: unchanged
        ? []
        : [
            {
              type: "v1.package.yanked",
              subject: rowSubject(row),
              payload: { package_id: packageId, reason },
            },
          ],
      answer: async (view) => packageInfo(await findPackage(view.sql, packageId)),
    };
  };
}

export function unyankPackage(packageId: string): Decide<PackageInfo> {
  return async ({ sql }) => {
    const row = await findFinalizedPackage(sql, packageId);
    return {
      events:
        row.status === "yanked"
          ? [
              {
                type: "v1.package.unyanked",
                subject: rowSubject(row),
                payload: { package_id: packageId },
              },
            ]
          : [],
      answer: async (view) => packageInfo(await findPackage(view.sql, packageId)),
    };
  };
}
