import { differingRows, viewTables, type Database, type TableName } from "@store/database";
import type { EventLog } from "@store/events";
import { Digest, isStoreError, parseContentAddress, StoreError } from "@store/identity";
import { verifyObject } from "@store/storage";
import { asc, eq, sql as expression } from "drizzle-orm";

import { forEachAtOnce } from "./bounded.ts";
import type { MissingCopies } from "./missing-copies.ts";
import type { ObjectCopier } from "./object-copier.ts";
import { instanceTables } from "./tables.ts";
import type { CopyInstanceOptions, CopyProblem, CopyVerification } from "./types.ts";
import type { WantedCopy } from "./wanted-copies.ts";

interface Verified extends CopyInstanceOptions {
  readonly source: EventLog;
  readonly target: EventLog;
  readonly copier: ObjectCopier;
  readonly missing: MissingCopies;
}

/**
 * Holds every row of a finished copy against the source's, and reads every object of the target;
 * those that are missing or damaged are copied again.
 *
 * @throws {StoreError} `precondition_failed` where the source went on meanwhile
 */
export async function verifyCopy(verified: Verified): Promise<CopyVerification> {
  const compared = await compareRows(verified);
  return { ...compared, ...(await new ObjectVerification(verified, compared.rows).run()) };
}

async function compareRows({
  from,
  to,
  source,
  target,
  signal,
  onProgress,
}: Verified): Promise<Pick<CopyVerification, "rows" | "differences">> {
  const one = { sql: from.database.reader, tables: from.database.tables };
  const other = { sql: to.database.reader, tables: to.database.tables };
  const differences: Partial<Record<TableName, number>> = {};
  let rows = 0;
  const onRow = (): void => {
    rows += 1;
    if (rows % 1_000 !== 0) return;
    signal?.throwIfAborted();
    onProgress?.({ step: "verifying", done: rows, objects: 0, sizeBytes: 0 });
  };
  try {
    for (const table of [...viewTables, ...instanceTables]) {
      let count = 0;
      for await (const _ of differingRows(one, other, table, onRow)) count += 1;
      if (count > 0) differences[table] = count;
    }
  } catch (error) {
    throw signal?.aborted === true ? givenUp(signal) : error;
  }
  const [{ size }, { size: copied }] = await Promise.all([source.head(), target.head()]);
  if (size === copied) return { rows, differences };
  throw new StoreError(
    "precondition_failed",
    `The source has ${size} events by now, and the target ${copied}: what goes on cannot be ` +
      "compared. Stop the source, and verify again.",
    { context: { expected: size, actual: copied } },
  );
}

type LocationRow = Awaited<ReturnType<typeof readLocations>>[number];

class ObjectVerification {
  readonly #verified: Verified;
  readonly #problems: CopyProblem[] = [];
  #objects = 0;
  #sizeBytes = 0;
  #mended = 0;
  #unread = 0;

  readonly #rows: number;

  /** After so many rows were compared. */
  constructor(verified: Verified, rows: number) {
    this.#verified = verified;
    this.#rows = rows;
  }

  async run(): Promise<Omit<CopyVerification, "rows" | "differences">> {
    const { concurrency = 32, missing, to } = this.#verified;
    await forEachAtOnce(this.#locations(), { count: concurrency }, (row) => this.#verify(row));
    missing.replaceBy(this.#problems, { whole: true });
    await missing.keep(to.database);
    return {
      objects: this.#objects,
      sizeBytes: this.#sizeBytes,
      mended: this.#mended,
      unread: this.#unread,
    };
  }

  /** The copies that should be in the target, in order. */
  async *#locations(): AsyncGenerator<LocationRow> {
    const { to, without = [] } = this.#verified;
    let last: LocationRow | undefined;
    for (;;) {
      const rows = await readLocations(to.database, last);
      for (const row of rows) {
        if (!without.includes(row.backend) && to.backends[row.backend] !== undefined) yield row;
      }
      last = rows.at(-1);
      if (rows.length < locationsAtOnce) return;
    }
  }

  async #verify(row: LocationRow): Promise<void> {
    const { to, copier, signal, onProgress } = this.#verified;
    if (signal?.aborted === true) throw givenUp(signal);
    const backend = to.backends[row.backend];
    if (backend === undefined) return;
    const copy: WantedCopy = { address: parseContentAddress(row.address), backend: row.backend };
    const expect = { sizeBytes: row.sizeBytes, sha256: Digest.of("sha256", row.sha256) };
    const options = { expect, ...(signal === undefined ? {} : { signal }) };
    try {
      const { status } = await verifyObject(backend, copy.address, options);
      if (status !== "ok") {
        const problem = await copier.mend(copy);
        if (problem === undefined) this.#mended += 1;
        else this.#problems.push(problem);
      }
    } catch (error) {
      if (!isStoreError(error, "restore_required")) throw error;
      this.#unread += 1;
      return;
    }
    this.#objects += 1;
    this.#sizeBytes += row.sizeBytes;
    onProgress?.({
      step: "verifying",
      done: this.#rows,
      objects: this.#objects,
      sizeBytes: this.#sizeBytes,
    });
  }
}

const locationsAtOnce = 1_000;

async function readLocations(
  { reader, tables }: Pick<Database, "reader" | "tables">,
  after: { readonly address: string; readonly backend: string } | undefined,
) {
  const { storageLocations: t, objects } = tables;
  const place = expression`(${t.contentAddress}, ${t.backend})`;
  return reader
    .select({
      address: t.contentAddress,
      backend: t.backend,
      sizeBytes: objects.sizeBytes,
      sha256: objects.digestSha256,
    })
    .from(t)
    .innerJoin(objects, eq(objects.contentAddress, t.contentAddress))
    .where(after && expression`${place} > (${after.address}, ${after.backend})`)
    .orderBy(asc(t.contentAddress), asc(t.backend))
    .limit(locationsAtOnce);
}

function givenUp(signal: AbortSignal): StoreError {
  return new StoreError("aborted", "The copy was given up: its signal was aborted.", {
    cause: signal.reason,
  });
}
