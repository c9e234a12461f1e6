import { boolean, integer, string } from "@oclif/core/flags";
import type { StoredEvent } from "@store/events";
import type { Registry } from "@store/registry";

import { AnsweredError } from "../lib/error-report.ts";
import { formatTime } from "../lib/format.ts";
import { InterruptedError } from "../lib/interrupted-error.ts";
import { printEvent, printLine, styled } from "../lib/output.ts";
import { printable } from "../lib/printable.ts";
import { StoreCommand } from "../lib/store-command.ts";

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
        this.withRegistry(flags.data, (registry) => printEvents(registry, flags, signal)),
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
  registry: Registry,
  { json, since, follow, type, limit = Infinity }: LogOptions,
  signal: AbortSignal,
): Promise<void> {
  const types = type === undefined ? {} : { types: type };
  const events = follow
    ? registry.tailEvents({ since, signal, ...types })
    : readAll(registry, since, types);
  let count = 0;
  for await (const event of events) {
    await (json ? printJson(event) : printHuman(event));
    count += 1;
    if (count >= limit || signal.aborted) break;
  }
  signal.throwIfAborted();
}

async function* readAll(
  registry: Registry,
  since: number,
  types: { readonly types?: string[] },
): AsyncGenerator<StoredEvent> {
  // Up to what is there now, so that a busy log does not become one that is followed.
  const { size } = await registry.head();
  let after = since;
  while (after < size) {
    const query = { after, before: size + 1, limit: batchSize, ...types };
    const { items, scannedTo } = await registry.readEvents(query);
    yield* items;
    after = scannedTo;
  }
}

async function printJson(event: StoredEvent): Promise<void> {
  const { eventJson } = await import("../lib/event-json.ts");
  await printEvent(eventJson(event));
}

async function printHuman({ seq, occurredAt, type, subject, actor }: StoredEvent): Promise<void> {
  const parts = [
    styled("dim", String(seq).padStart(6)),
    formatTime(occurredAt),
    styled("cyan", printable(type).padEnd(26)),
    printable(subject),
    styled("dim", `by ${printable(actor)}`),
  ];
  await printLine(parts.join("  "));
}
