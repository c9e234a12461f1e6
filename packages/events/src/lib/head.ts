import { statement, type Row, type Sql, type StatementParameters } from "@store/database";
import { StoreError } from "@store/identity";
import { eq } from "drizzle-orm";

import { decodeTree, encodeFrontier, rootOf, type MerkleTree } from "./merkle.ts";

/** What the log amounts to: its name, its length and the tree over its events. */
export interface LogHead {
  /** UUIDv7, given with the first event. */
  readonly logId: string;
  /** How many events it has, which is the `seq` of the last one. */
  readonly size: number;
  /** The RFC 6962 root over all headers; 32 bytes. */
  readonly root: Uint8Array;
  /** The roots of the tree's perfect subtrees, largest first; 32 bytes each. */
  readonly frontier: readonly Uint8Array[];
}

/** The head as the writer carries it from one event to the next. */
export interface WriterHead {
  readonly logId: string;
  readonly tree: MerkleTree;
  readonly lastOccurredAt: string;
  readonly lastEventId: string;
}

/** The only row of the head's table. */
const headRow = 1;

const selectHead = statement((sql, { logHead }) =>
  sql.select().from(logHead).where(eq(logHead.id, headRow)),
);

const selectSize = statement((sql, { logHead }) =>
  sql.select({ size: logHead.size }).from(logHead).where(eq(logHead.id, headRow)),
);

type HeadValues = Omit<Row<"logHead">, "id">;

const insertHead = statement((sql, { logHead }, p: StatementParameters<HeadValues>) =>
  sql.insert(logHead).values({ id: headRow, ...headParameters(p) }),
);

const updateHead = statement((sql, { logHead }, p: StatementParameters<HeadValues>) =>
  sql.update(logHead).set(headParameters(p)).where(eq(logHead.id, headRow)),
);

function headParameters(p: StatementParameters<HeadValues>) {
  return {
    logId: p("logId"),
    size: p("size"),
    root: p("root"),
    frontier: p("frontier"),
    lastOccurredAt: p("lastOccurredAt"),
    lastEventId: p("lastEventId"),
  };
}

/** The stored head, or undefined where the log has no event yet. */
export async function readHeadRow(sql: Sql): Promise<Row<"logHead"> | undefined> {
  const [row] = await selectHead(sql, {});
  return row;
}

/** How many events are stored. */
export async function readSize(sql: Sql): Promise<number> {
  const [row] = await selectSize(sql, {});
  return row?.size ?? 0;
}

/** What is thrown where a head is asked for and there is no event yet. */
export function logNotBegun(): StoreError {
  return new StoreError(
    "instance_not_found",
    "The log has no event yet; append its first one and ask again.",
  );
}

/** @throws {StoreError} `log_corrupt` where the frontier cannot be that of so many leaves */
export function writerHead(row: Row<"logHead">): WriterHead {
  const { logId, size, frontier, lastOccurredAt, lastEventId } = row;
  const tree = decodeTree(size, frontier);
  if (tree === undefined) {
    throw new StoreError(
      "log_corrupt",
      `The log's head has a frontier of ${frontier.byteLength} bytes, which no tree of ${size} ` +
        "leaves has. Restore the database from a backup.",
      { context: { actual: frontier.byteLength } },
    );
  }
  return { logId, tree, lastOccurredAt, lastEventId };
}

/** @throws {StoreError} `log_corrupt` like {@link writerHead} */
export function publicHead(row: Row<"logHead">): LogHead {
  const { logId, tree } = writerHead(row);
  return { logId, size: row.size, root: row.root, frontier: tree.frontier };
}

/**
 * Moves the stored head from `sizeBefore` events to those of `head`; from 0 it is created.
 * The root is computed here, once a commit.
 */
export async function writeHeadRow(sql: Sql, head: WriterHead, sizeBefore: number): Promise<void> {
  const write = sizeBefore === 0 ? insertHead : updateHead;
  await write(sql, {
    logId: head.logId,
    size: head.tree.size,
    root: rootOf(head.tree),
    frontier: encodeFrontier(head.tree.frontier),
    lastOccurredAt: head.lastOccurredAt,
    lastEventId: head.lastEventId,
  });
}
