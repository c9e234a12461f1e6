import { createInterface } from "node:readline/promises";

import { boolean } from "@oclif/core/flags";
import { StoreError } from "@store/identity";

import { AnsweredError } from "../lib/error-report.ts";
import { exitCodes } from "../lib/exit-codes.ts";
import { printDocument, printLine } from "../lib/output.ts";
import { choosePlace } from "../lib/place.ts";
import { ProgressLine } from "../lib/progress.ts";
import { StoreCommand } from "../lib/store-command.ts";
import { prose } from "../lib/prose.ts";
import { UsageError } from "../lib/usage-error.ts";

export default class Migrate extends StoreCommand {
  static override summary = "Bring the database to the form that this version needs.";
  static override description = prose(`
Makes the database where there is none. With PostgreSQL, servers go on meanwhile, unless a migration
says that they cannot; --check changes nothing, tells what is pending and which servers go on, and
exits with 1 where anything is. --fresh deletes every package and event and begins anew; it asks first,
or takes --yes where nobody can be asked. Objects stay on disk either way. With a server it only looks:
a server does not start before its database has the right form.
`);
  static override examples = [
    { description: "After an upgrade", command: "<%= config.bin %> migrate" },
    { description: "See what an upgrade will do", command: "<%= config.bin %> migrate --check" },
    {
      description: "Begin anew, without a question",
      command: "<%= config.bin %> migrate --fresh --yes",
    },
  ];
  static override flags = {
    // First, since oclif aligns the others with a letter only below it.
    yes: boolean({ default: false, char: "y", dependsOn: ["fresh"], summary: "Do not ask." }),
    check: boolean({ default: false, summary: "Only tell what is pending." }),
    fresh: boolean({
      default: false,
      exclusive: ["check"],
      summary: "Delete everything in the database first.",
    }),
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(Migrate);
    const chosen = choosePlace(flags);
    if (chosen.kind === "server") await this.#remote(chosen.url, flags);
    else await this.#local(flags);
  }

  /** A server serves only what has the form that it needs, so there is nothing to do. */
  async #remote(url: string, { fresh, json }: Flags): Promise<void> {
    if (fresh) {
      throw new UsageError(
        "--fresh deletes every package and event, which no server does.",
        "Run it on the machine of the instance, with --data.",
      );
    }
    const { server, database } = await this.withServer(url, async ({ client }) => ({
      server: client.url,
      ...(await client.health()),
    }));
    if (!database.healthy) {
      const message = `The database of ${server} fails: ${database.reason ?? "without a reason"}`;
      throw new StoreError("database_unavailable", message);
    }
    if (json) await printDocument({ database: server, applied: [] });
    else await printLine(`${server} has the database that its version needs already`);
  }

  async #local(flags: Flags): Promise<void> {
    const runtime = await import("@store/server/runtime");
    const settings = runtime.readSettings({ data: flags.data });
    const place = runtime.redactUrl(settings.databaseUrl);
    if (flags.check) {
      const database = await runtime.openInstanceDatabase(settings, { create: false });
      await tellPending(place, database, flags.json === true);
      return;
    }
    if (flags.fresh && !flags.yes) await confirm(place);
    const report = await migrate(await runtime.openInstanceDatabase(settings), flags.fresh);
    // What an instance has from its birth is recorded when it is opened for the first time.
    const instance = await runtime.openInstance(settings, { create: true });
    await instance.close();
    if (flags.json) await printDocument({ database: place, ...report });
    else if (report.applied.length === 0) {
      await printLine(`${place} is at version ${report.to} already`);
    } else await printLine(`${place} is migrated from version ${report.from} to ${report.to}`);
  }
}

interface Flags {
  readonly check: boolean;
  readonly data?: string | undefined;
  readonly fresh: boolean;
  readonly yes: boolean;
  readonly json?: boolean | undefined;
}

type PendingMigration = Awaited<ReturnType<InstanceDatabase["pendingMigrations"]>>[number];
type MigrateOptions = NonNullable<Parameters<InstanceDatabase["migrate"]>[0]>;
type MigrationStep = Parameters<NonNullable<MigrateOptions["onStep"]>>[0];
type InstanceDatabase = Awaited<
  ReturnType<typeof import("@store/server/runtime").openInstanceDatabase>
>;

async function migrate(database: InstanceDatabase, fresh: boolean) {
  let said = "migrating";
  using _ = new ProgressLine(() => said);
  const onStep = ({ name, status, index }: MigrationStep): void => {
    const what = index === undefined ? name : `${name}: making the index ${index}`;
    said = status === "waiting" ? `${what}, waiting for a lock` : what;
  };
  try {
    return await (fresh ? database.migrateFresh({ onStep }) : database.migrate({ onStep }));
  } finally {
    await database.close();
  }
}

/** Prints what would be applied; exits with 1 where that is anything. */
async function tellPending(
  place: string,
  database: InstanceDatabase,
  asDocument: boolean,
): Promise<void> {
  try {
    const version = await database.schemaVersion();
    const pending = (await database.pendingMigrations()).map(
      ({ version: to, name, compatibleFrom }) => ({ version: to, name, compatibleFrom }),
    );
    if (asDocument) await printDocument({ database: place, version, pending });
    else await printPending(place, version, pending);
    if (pending.length > 0) throw new AnsweredError(exitCodes.failedCheck);
  } finally {
    await database.close();
  }
}

async function printPending(
  place: string,
  version: number,
  pending: readonly PendingMigration[],
): Promise<void> {
  if (pending.length === 0) {
    await printLine(`${place} is at version ${version} already`);
    return;
  }
  if (version === 0) {
    for (const { name } of pending) await printLine(`pending  ${name}`);
    await printLine(`${place} is empty, ${pending.length} to be applied`);
    return;
  }
  for (const { name, compatibleFrom } of pending) {
    const goOn = compatibleFrom <= version ? "servers go on" : "stop servers of older versions";
    await printLine(`pending  ${name}  (${goOn})`);
  }
  await printLine(`${place} is at version ${version}, ${pending.length} to be applied`);
}

async function confirm(place: string): Promise<void> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new UsageError(
      "--fresh deletes every package and event, and nobody can be asked.",
      "Give --yes as well.",
    );
  }
  const questions = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const question = `Delete every package and event in ${place}? Type 'yes': `;
    const answer = await questions.question(question);
    if (answer.trim() !== "yes")
      throw new UsageError("Nothing was deleted.", "Type 'yes' to do so.");
  } finally {
    questions.close();
  }
}
