import { boolean, integer, string } from "@oclif/core/flags";
import type { EventJson } from "@store/api";

import { AnsweredError } from "../lib/error-report.ts";
import { formatTime } from "../lib/format.ts";
import { InterruptedError } from "../lib/interrupted-error.ts";
import { printEvent, printLine, styled } from "../lib/output.ts";
import { printable } from "../lib/printable.ts";
import { StoreCommand } from "../lib/store-command.ts";
import type { StoreService } from "../lib/store-service.ts";

/** Events read at once; each may hold a manifest. */
const batchSize = 100;

export default class Log extends StoreCommand {
  static override summary = "Print the log: every change, in order.";
  static override description =
    "With --json each event is one line, and --since takes the last `seq` that was read.";
  static override examples = [
    { description: "Everything that happened", command: "<%= config.bin %> log" },
    {
      description: "Wait for packages, from event 120 on",
      command: "<%= config.bin %> log --since 120 --follow --type v1.package.finalized --json",
    },
  ];
  static override flags = {
    // First, since oclif aligns the others with a letter only below it.
    follow: boolean({ default: false, char: "f", summary: "Wait for more, until Ctrl-C." }),
    since: integer({ min: 0, default: 0, helpValue: "<seq>", summary: "Begin after this event." }),
    type: string({
      multiple: true,
      multipleNonGreedy: true,
      helpValue: "<type>",
      summary: "Only events of this type; may be repeated.",
    }),
    limit: integer({ min: 1, helpValue: "<n>", summary: "End after so many events." }),
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(Log);
    try {
      await this.interruptible((signal) =>
        this.withStore(flags, (store) => printEvents(store, flags, signal)),
      );
    } catch (error) {
      // Ctrl-C is how following ends: nothing went wrong.
      throw error instanceof InterruptedError ? new AnsweredError(error.exitCode) : error;
    }
  }
}

interface LogOptions {
  readonly json: boolean | undefined;
  readonly since: number;
  readonly follow: boolean;
  readonly type: string[] | undefined;
  readonly limit: number | undefined;
}

async function printEvents(
  store: StoreService,
  { json, since, follow, type, limit = Infinity }: LogOptions,
  signal: AbortSignal,
): Promise<void> {
  const types = type === undefined ? {} : { types: type };
  const events = follow
    ? store.tailEvents({ since, signal, ...types })
    : readAll(store, since, types);
  let count = 0;
  for await (const event of events) {
    await (json ? printEvent(event) : printHuman(event));
    count += 1;
    if (count >= limit || signal.aborted) break;
  }
  signal.throwIfAborted();
}

async function* readAll(
  store: StoreService,
  since: number,
  types: { readonly types?: string[] },
): AsyncGenerator<EventJson> {
  // Up to what is there now, so that a busy log does not become one that is followed.
  const { size } = await store.head();
  let after = since;
  while (after < size) {
    const { items, scannedTo } = await store.readEvents({ after, limit: batchSize, ...types });
    yield* items.filter(({ seq }) => seq <= size);
    after = scannedTo;
  }
}

async function printHuman(event: EventJson): Promise<void> {
  const { seq, occurred_at, type, subject, actor } = event;
  const parts = [
    styled("dim", String(seq).padStart(6)),
    formatTime(occurred_at),
    styled("cyan", printable(type).padEnd(26)),
    printable(subject),
    ...copyFacts(event).map((fact) => printable(fact)),
    styled("dim", `by ${printable(actor)}`),
  ];
  await printLine(parts.join("  "));
}

/** What a line says of a copy or a backend, beside which it is: where, and how it was found. */
function copyFacts({ type, payload }: EventJson): string[] {
  if (!/^v1\.(object|backend)\./.test(type)) return [];
  const { backend, finding, reason } = { ...(payload as Readonly<Record<string, unknown>>) };
  // A backend's own events have it as their subject.
  const at = type.startsWith("v1.object.") && typeof backend === "string" ? [`at ${backend}`] : [];
  return [...at, ...[finding, reason].filter((fact) => typeof fact === "string")];
}
