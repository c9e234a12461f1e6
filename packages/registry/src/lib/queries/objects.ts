import { statement, type Row, type Sql } from "@store/database";
import {
  Digest,
  digestOf,
  StoreError,
  type ContentAddress,
  type DualDigest,
} from "@store/identity";
import { asc, eq } from "drizzle-orm";

const selectByAddress = statement((sql, { objects }, p) =>
  sql
    .select()
    .from(objects)
    .where(eq(objects.contentAddress, p("address"))),
);

const selectBySha256 = statement((sql, { objects }, p) =>
  sql
    .select()
    .from(objects)
    .where(eq(objects.digestSha256, p("sha256")))
    .orderBy(asc(objects.contentAddress))
    .limit(1),
);

/** The object's row by either of its digests, or undefined where the instance knows none. */
export async function findObject(
  sql: Sql,
  address: ContentAddress,
): Promise<Row<"objects"> | undefined> {
  const { algorithm, bytes } = digestOf(address);
  const [row] =
    algorithm === "sha256"
      ? await selectBySha256(sql, { sha256: bytes })
      : await selectByAddress(sql, { address });
  return row;
}

/** The object's row by the address that identifies it, or undefined. */
export async function selectObject(sql: Sql, address: string): Promise<Row<"objects"> | undefined> {
  const [row] = await selectByAddress(sql, { address });
  return row;
}

/** What an object's row says of its bytes. */
export function objectDigest(row: Row<"objects">): DualDigest {
  return {
    primary: Digest.of("blake3", row.digestPrimary),
    sha256: Digest.of("sha256", row.digestSha256),
    sizeBytes: row.sizeBytes,
  };
}

/** The refusal of an object that is not there, or that the caller may not know of. */
export function unknownObject(address: ContentAddress): StoreError {
  return new StoreError(
    "object_not_found",
    `There is no object ${address} that you can read. Check the address; or send its bytes.`,
    { context: { expected: address } },
  );
}
