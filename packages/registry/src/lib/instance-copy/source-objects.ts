import type { CopyStatus, Database } from "@store/database";
import { Digest } from "@store/identity";
import { eq, inArray } from "drizzle-orm";

import type { WantedCopy } from "./wanted-copies.ts";

/** What the source knows of an object now. */
export interface SourceObject {
  readonly sha256: Digest;
  readonly sizeBytes: number;
  /** The class of a package that has it. */
  readonly retentionClass?: string;
  readonly copies: readonly { readonly backend: string; readonly status: CopyStatus }[];
}

/** Looks up the objects of some copies, by address. */
export async function findSourceObjects(
  { reader, tables }: Pick<Database, "reader" | "tables">,
  wanted: readonly WantedCopy[],
): Promise<Map<string, SourceObject>> {
  const { objects, storageLocations: locations, artifactPackages: packages } = tables;
  const addresses = [...new Set<string>(wanted.map(({ address }) => address))];
  const packageIds = [...new Set(wanted.flatMap(({ packageId }) => packageId ?? []))];
  const [rows, classes] = await Promise.all([
    reader
      .select({
        address: locations.contentAddress,
        backend: locations.backend,
        status: locations.status,
        sha256: objects.digestSha256,
        sizeBytes: objects.sizeBytes,
      })
      .from(locations)
      .innerJoin(objects, eq(objects.contentAddress, locations.contentAddress))
      .where(inArray(locations.contentAddress, addresses)),
    reader
      .select({ packageId: packages.packageId, retentionClass: packages.retentionClass })
      .from(packages)
      .where(inArray(packages.packageId, packageIds)),
  ]);
  const classOf = new Map(classes.map((row) => [row.packageId, row.retentionClass]));
  const packageOf = new Map<string, string | undefined>(
    wanted.map(({ address, packageId }) => [address, packageId]),
  );
  const byAddress = Map.groupBy(rows, ({ address }) => address);
  return new Map(
    [...byAddress].flatMap(([address, copies]) => {
      const [first] = copies;
      if (first === undefined) return [];
      const retentionClass = classOf.get(packageOf.get(address) ?? "");
      const known: SourceObject = {
        sha256: Digest.of("sha256", first.sha256),
        sizeBytes: first.sizeBytes,
        ...(retentionClass === undefined ? {} : { retentionClass }),
        copies,
      };
      return [[address, known] as const];
    }),
  );
}
