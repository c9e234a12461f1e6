import { boolean } from "@oclif/core/flags";
import { encodeVerifyReport } from "@store/api";
import { isStoreError, type ContentAddress } from "@store/identity";
import type { PackageInfo, VerifyProblem, VerifyReport } from "@store/registry";

import { AnsweredError } from "../lib/error-report.ts";
import { UsageError } from "../lib/usage-error.ts";
import { exitCodes } from "../lib/exit-codes.ts";
import { formatCounted, formatSize } from "../lib/format.ts";
import { printDocument, printLine, styled } from "../lib/output.ts";
import { allItems } from "../lib/pages.ts";
import { printable } from "../lib/printable.ts";
import { Progress } from "../lib/progress.ts";
import { referenceArgument, StoreCommand } from "../lib/store-command.ts";
import type { StoreService } from "../lib/store-service.ts";
import { prose } from "../lib/prose.ts";

export default class Verify extends StoreCommand {
  static override summary =
    "Read every byte of a package, or of all, and hold it against its digest.";
  static override description = prose(`
Each problem is named with the package, the path and the object, and the exit code is 6. --all
verifies every finalized package, each object once, and recomputes the log's tree.
`);
  static override examples = [
    { description: "Verify one package", command: "<%= config.bin %> verify acme/app@1.2.0" },
    { description: "Verify everything", command: "<%= config.bin %> verify --all" },
  ];
  static override args = {
    reference: referenceArgument({ description: "The package; or give --all." }),
  };
  static override flags = {
    all: boolean({ default: false, summary: "Verify every finalized package and the log." }),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Verify);
    const { reference } = args;
    if (flags.all === (reference !== undefined)) {
      throw new UsageError("Verify one package or all.", "Give a reference, or --all.");
    }
    const verification = await this.interruptible(async (signal) => {
      return await this.withStore(flags, async (store) => {
        using progress = new Progress("verifying");
        if (reference === undefined) return await verifyAll(store, signal, progress);
        const { package: info, warnings } = await store.resolve(reference);
        this.warnAll(warnings);
        return await new Verification(store, signal, progress).package(info);
      });
    });
    if (flags.json) await printDocument(verification.json());
    else await verification.print();
    if (verification.isDamaged) throw new AnsweredError(exitCodes.integrity);
  }
}

async function verifyAll(
  store: StoreService,
  signal: AbortSignal,
  progress: Progress,
): Promise<Verification> {
  const verification = new Verification(store, signal, progress);
  await verification.log();
  for await (const info of allItems((page) => store.listPackages({}, page))) {
    signal.throwIfAborted();
    if (info.status === "finalized" || info.status === "yanked") await verification.package(info);
  }
  return verification;
}

/** What has been verified so far; only damaged packages are kept. */
class Verification {
  readonly #store: StoreService;
  readonly #signal: AbortSignal;
  readonly #progress: Progress;
  readonly #verified = new Set<ContentAddress>();
  readonly #damaged: VerifyReport[] = [];
  #logProblem: string | undefined;
  #logSize: number | undefined;
  #packages = 0;
  #files = 0;
  #sizeBytes = 0;

  constructor(store: StoreService, signal: AbortSignal, progress: Progress) {
    this.#store = store;
    this.#signal = signal;
    this.#progress = progress;
  }

  get isDamaged(): boolean {
    return this.#damaged.length > 0 || this.#logProblem !== undefined;
  }

  async log(): Promise<void> {
    try {
      const head = await this.#store.verifyLog();
      this.#logSize = head.size;
    } catch (error) {
      if (!isStoreError(error, "log_corrupt")) throw error;
      this.#logProblem = error.message;
    }
  }

  async package(info: PackageInfo): Promise<this> {
    const report = await this.#store.verifyPackage(info.id, {
      signal: this.#signal,
      verified: this.#verified,
      onProgress: ({ files, sizeBytes }) => {
        this.#progress.set(this.#files + files, this.#sizeBytes + sizeBytes);
      },
    });
    this.#packages += 1;
    this.#files += report.fileCount;
    this.#sizeBytes += report.sizeBytes;
    if (report.problems.length > 0) this.#damaged.push(report);
    return this;
  }

  json(): object {
    const log =
      this.#logProblem === undefined
        ? { healthy: true, size: this.#logSize }
        : { healthy: false, reason: this.#logProblem };
    return {
      healthy: !this.isDamaged,
      package_count: this.#packages,
      file_count: this.#files,
      size: this.#sizeBytes,
      damaged: this.#damaged.map((report) => encodeVerifyReport(report)),
      ...(this.#logSize === undefined && this.#logProblem === undefined ? {} : { log }),
    };
  }

  async print(): Promise<void> {
    if (this.#logProblem !== undefined) {
      await printLine(`${styled("red", "log")}  ${printable(this.#logProblem)}`);
    }
    for (const { reference, problems } of this.#damaged) {
      for (const problem of problems) await printLine(problemLine(reference, problem));
    }
    const log = this.#logSize === undefined ? "" : `, ${formatCounted(this.#logSize, "event")}`;
    const what =
      `${formatCounted(this.#packages, "package")}, ${formatCounted(this.#files, "file")}, ` +
      `${formatSize(this.#sizeBytes)}${log}`;
    const problemCount =
      this.#damaged.reduce((sum, report) => sum + report.problems.length, 0) +
      (this.#logProblem === undefined ? 0 : 1);
    const verdict = this.isDamaged
      ? styled("red", formatCounted(problemCount, "problem"))
      : styled("green", "all whole");
    await printLine(`${what}: ${verdict}`);
  }
}

function problemLine(reference: string, problem: VerifyProblem): string {
  const where = [reference, problem.path, problem.address].filter((part) => part !== undefined);
  return `${styled("red", problem.code)}  ${printable(`${where.join("  ")}  ${problem.message}`)}`;
}
