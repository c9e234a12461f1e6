import { isStoreError } from "@store/identity";
import type { CopyProblem, CopyReport, CopyVerification } from "@store/registry/instance-copy";

import { formatCount, formatCounted, formatSize } from "../format.ts";
import { HintedError } from "../hinted-error.ts";
import { printDocument, printLine, printNote, styled } from "../output.ts";
import { printable } from "../printable.ts";

/** What came of copying an instance, as JSON. */
export async function printCopyDocument(report: CopyReport): Promise<void> {
  const { verification } = report;
  await printDocument({
    log_id: report.logId,
    size: report.size,
    root: hex(report.root),
    source_size: report.sourceSize,
    events: report.events,
    objects: report.objects,
    size_bytes: report.sizeBytes,
    operational_rows: report.operationalRows,
    problem_count: report.problemCount,
    problems: report.problems,
    ...(verification && {
      verification: {
        rows: verification.rows,
        differences: namedByTable(verification),
        objects: verification.objects,
        size_bytes: verification.sizeBytes,
        mended: verification.mended,
        unread: verification.unread,
      },
    }),
  });
}

/** The same for a person. */
export async function printCopyOutcome(report: CopyReport): Promise<void> {
  for (const problem of report.problems) await printProblem(problem);
  const unnamed = report.problemCount - report.problems.length;
  if (unnamed > 0) await printLine(`… and ${formatCounted(unnamed, "object")} more`);
  await printLine(whatWasCopied(report));
  if (report.verification !== undefined) await printVerification(report.verification);
  const root = `${report.logId}  ${formatCounted(report.size, "event")}  root ${hex(report.root)}`;
  await printLine(`both logs: ${root}`);
  const note = whatIsLeft(report);
  if (note !== undefined) printNote(note);
}

function whatWasCopied(report: CopyReport): string {
  const { events, objects, operationalRows, problemCount } = report;
  const counted = [
    ...(events > 0 ? [formatCounted(events, "event")] : []),
    ...(objects > 0
      ? [`${formatCounted(objects, "object")} (${formatSize(report.sizeBytes)})`]
      : []),
    ...(operationalRows > 0
      ? [`${formatCounted(operationalRows, "row")} of accounts and keys`]
      : []),
  ];
  const what =
    counted.length > 0 ? `copied ${counted.join(", ")}` : "nothing is new, nothing was copied";
  const verdict =
    problemCount === 0
      ? styled("green", "all that the log speaks of is there")
      : styled("red", `${formatCounted(problemCount, "object")} missing`);
  return `${what}: ${verdict}`;
}

async function printProblem({ code, backend, address, message }: CopyProblem): Promise<void> {
  await printLine(`${styled("red", code)}  ${printable(`${backend}  ${address}  ${message}`)}`);
}

async function printVerification(verification: CopyVerification): Promise<void> {
  const { rows, objects, sizeBytes, mended, unread } = verification;
  const tables = Object.entries(namedByTable(verification));
  for (const [table, count] of tables) {
    await printLine(`${styled("red", "differs")}  ${table}  ${formatCounted(count, "row")}`);
  }
  const facts = [
    `verified ${formatCounted(rows, "row")}`,
    `${formatCounted(objects, "object")} (${formatSize(sizeBytes)})`,
    ...(mended > 0 ? [`${formatCount(mended)} copied again`] : []),
    ...(unread > 0 ? [`${formatCount(unread)} in an archive not read`] : []),
  ];
  const verdict =
    tables.length === 0 ? styled("green", "no difference") : styled("red", "rows differ");
  await printLine(`${facts.join(", ")}: ${verdict}`);
}

function whatIsLeft(report: CopyReport): string | undefined {
  const { size, sourceSize, events, objects, operationalRows } = report;
  if (sourceSize > size) {
    const more = formatCounted(sourceSize - size, "event");
    return `The source has ${more} more by now. Stop it, and run this again before you use the copy.`;
  }
  if (events + objects + operationalRows === 0) return undefined;
  return "Before you use the copy: stop the source, and run this once more.";
}

/** Tables as the databases call them, since that is where one looks. */
function namedByTable({ differences }: CopyVerification): Record<string, number> {
  const named = Object.entries(differences).map(([table, count]) => [
    table.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    count,
  ]);
  return Object.fromEntries(named) as Record<string, number>;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** An error of a copy with what to do about it there. */
export function explainedCopyError(error: unknown): unknown {
  if (!isStoreError(error)) return error;
  const { code, message, context } = error;
  const hints = {
    instance_not_found: "Name the folder of an instance, or a file of settings.",
    aborted: "Nothing is half done: the same command goes on from there.",
    precondition_failed: "A target is empty, or what this command left there, used by nobody else.",
    storage_full: "Free some space there; the same command goes on from where it was.",
    storage_unavailable: "Once it answers, the same command goes on from where it was.",
    database_unavailable: "Once it answers, the same command goes on from where it was.",
  } as const;
  const hint: string | undefined = Object.entries(hints).find(([name]) => name === code)?.[1];
  if (hint === undefined) return error;
  return new HintedError(code, message, hint, { cause: error, context });
}
