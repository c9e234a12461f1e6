import { and, asc, gt, lte } from "drizzle-orm";

import { missing } from "./chain.ts";
import type { LogHead } from "./head.ts";
import { appendLeaf, emptyTree, leafHash, rootOf } from "./merkle.ts";
import type { LogPlace } from "./read.ts";

/** Headers of one statement; at most 4 KiB each, and a tenth of that as a rule. */
const headersAtOnce = 2_048;

/** The head over the first `size` events, from their headers alone. */
export async function readHeadAt(
  { reader, tables: { events } }: LogPlace,
  logId: string,
  size: number,
): Promise<LogHead> {
  let tree = emptyTree;
  while (tree.size < size) {
    const rows = await reader
      .select({ seq: events.seq, header: events.header })
      .from(events)
      .where(and(gt(events.seq, tree.size), lte(events.seq, size)))
      .orderBy(asc(events.seq))
      .limit(headersAtOnce);
    for (const { seq, header } of rows) {
      if (seq !== tree.size + 1) throw missing(tree.size + 1);
      tree = appendLeaf(tree, leafHash(header));
    }
    if (rows.length === 0) throw missing(tree.size + 1);
  }
  return { logId, size, root: rootOf(tree), frontier: tree.frontier };
}
