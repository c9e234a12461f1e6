import { boolean, integer, string } from "@oclif/core/flags";

import { AnsweredError } from "../../lib/error-report.ts";
import { exitCodes } from "../../lib/exit-codes.ts";
import { prose } from "../../lib/prose.ts";
import { argument, PlainCommand } from "../../lib/store-command.ts";
import { UsageError } from "../../lib/usage-error.ts";

export default class InstanceCopy extends PlainCommand {
  static override summary = "Copy an instance to another database and other backends.";
  static override description = prose(`
FROM and TO are each the folder of an instance (SQLite, and objects in it), or a file of settings in the
form of .env: STORE_DATABASE_URL, and STORE_STORAGE_URL or STORE_STORAGE_FILE, or STORE_DATA. Passwords
stay in that file. What this process has in its own environment says nothing about either, but for what
S3 takes from there (AWS_…). Both databases and all backends are worked with from here: no server takes
part, and a server's URL cannot be given.

The copy is the same instance: the log byte for byte with the same root, the views, each object at the
backend of the same name, verified on its way, users, tokens and keys. It can be stopped at any moment,
also by a kill; the same command goes on. The source may be in use. To move: copy, stop the source, copy
once more, which takes the few seconds that are new, and start the copy. From then on use one of them.

Objects that the source has lost are named, and the exit code is 6; everything else arrives, and the
next copy tries them again. Uploads that are under way stay behind.
`);
  static override examples = [
    {
      description: "From SQLite and this disk to what new.env names, PostgreSQL and S3",
      command: "<%= config.bin %> instance copy ./data new.env",
    },
    {
      description: "And back, reading everything again at the end",
      command: "<%= config.bin %> instance copy new.env ./data-again --verify",
    },
  ];
  static override args = {
    from: argument({ description: "The instance: its folder, or a file of settings." }),
    to: argument({ description: "Where it goes: an empty place, or an earlier copy of it." }),
  };
  static override flags = {
    without: string({
      multiple: true,
      multipleNonGreedy: true,
      helpValue: "<backend>",
      summary: "Backend whose copies stay behind, e.g. a mirror; may be repeated.",
    }),
    concurrency: integer({
      min: 1,
      max: 64,
      helpValue: "<n>",
      summary: "Objects in hand at the same time, else 32.",
    }),
    verify: boolean({
      default: false,
      summary: "Then compare every row, and read every object of the copy.",
    }),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(InstanceCopy);
    const { without = [], concurrency, verify, json } = flags;
    const { explainedCopyError, printCopyDocument, printCopyOutcome } =
      await import("../../lib/instance-copy/outcome.ts");
    const report = await this.interruptible(async (signal) => {
      try {
        return await copy(args, {
          without,
          verify,
          signal,
          ...(concurrency === undefined ? {} : { concurrency }),
        });
      } catch (error) {
        throw explainedCopyError(error);
      }
    });
    if (json) await printCopyDocument(report);
    else await printCopyOutcome(report);
    if (report.problemCount > 0) throw new AnsweredError(exitCodes.integrity);
    const differing = Object.keys(report.verification?.differences ?? {});
    if (differing.length > 0) throw new AnsweredError(exitCodes.failedCheck);
  }
}

interface Places {
  readonly from: string;
  readonly to: string;
}

type CopyInstance = typeof import("@store/registry/instance-copy").copyInstance;

async function copy(
  places: Places,
  options: Omit<Parameters<CopyInstance>[0], "from" | "to" | "onProgress">,
): ReturnType<CopyInstance> {
  const { openInstanceParts } = await import("@store/server/runtime");
  const { copyInstance } = await import("@store/registry/instance-copy");
  const { CopyProgressBar } = await import("../../lib/instance-copy/progress.ts");
  const { settingsAt } = await import("../../lib/instance-copy/settings-at.ts");
  const [source, target] = [await settingsAt(places.from), await settingsAt(places.to)];
  if (source.databaseUrl === target.databaseUrl) {
    throw new UsageError(
      "Both sides have the same database.",
      "Name another place to copy to: a folder, or a file of settings.",
    );
  }
  await using closing = new AsyncDisposableStack();
  const from = await openInstanceParts(source);
  closing.defer(() => from.close());
  const to = await openInstanceParts(target, { create: true });
  closing.defer(() => to.close());
  using progress = new CopyProgressBar();
  return await copyInstance({
    ...options,
    from,
    to,
    onProgress: (state) => progress.set(state),
  });
}
