import { boolean } from "@oclif/core/flags";
import { encodeFile, encodeHold, encodePackage, encodeRetention } from "@store/api";
import { formatCoordinates } from "@store/identity";
import type { FileInfo, HoldInfo, PackageInfo, PageOptions, RetentionInfo } from "@store/registry";

import { formatCounted, formatSize, formatTime } from "../lib/format.ts";
import { printLists, mapPages } from "../lib/json-list.ts";
import { printLine, styled } from "../lib/output.ts";
import { allPages, collectItems, limitPages } from "../lib/pages.ts";
import { referenceArgument, StoreCommand } from "../lib/store-command.ts";
import type { StoreService } from "../lib/store-service.ts";
import { printFields, printTable, type Column } from "../lib/table.ts";

/** How many files are shown unless all are asked for. */
const shownFiles = 20;

export default class Show extends StoreCommand {
  static override summary = "Show a package: its digest, files, tags, retention and holds.";
  static override examples = [
    { description: "Show the latest version", command: "<%= config.bin %> show acme/app" },
    {
      description: "The address of every file",
      command: "<%= config.bin %> show acme/app@1.2.0 --files --json",
    },
  ];
  static override args = { reference: referenceArgument({ required: true }) };
  static override flags = {
    files: boolean({ default: false, summary: `List every file, not the first ${shownFiles}.` }),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Show);
    await this.withStore(flags, async (store) => {
      const { package: info, warnings } = await store.resolve(args.reference);
      this.warnAll(warnings);
      const details = await readDetails(store, info);
      const files = (page: PageOptions) => store.listFiles(info.id, page);
      if (flags.json) {
        const list = flags.files ? { files: mapPages(allPages(files), encodeFile) } : {};
        await printLists(list, detailsJson(details));
        return;
      }
      await print(details);
      await printLine();
      await printTable(
        fileColumns,
        limitPages(allPages(files), flags.files ? undefined : shownFiles),
      );
      const left = flags.files ? 0 : info.fileCount - shownFiles;
      if (left > 0) {
        await printLine(
          styled("dim", `… and ${formatCounted(left, "file")} more; --files lists all`),
        );
      }
    });
  }
}

interface Details {
  readonly info: PackageInfo;
  readonly tags: readonly string[];
  readonly retention: RetentionInfo;
  readonly holds: readonly HoldInfo[];
}

async function readDetails(store: StoreService, info: PackageInfo): Promise<Details> {
  const { namespace, name, id } = info;
  const [tags, retention, holds] = await Promise.all([
    collectItems((page) => store.listTags(namespace, name, page)),
    store.getRetention(id),
    collectItems((page) => store.listHolds({ packageId: id, released: false }, page)),
  ]);
  const own = tags.filter((tag) => tag.packageId === id).map((tag) => tag.tag);
  return { info, tags: own, retention, holds };
}

function detailsJson({ info, tags, retention, holds }: Details): object {
  return {
    package: encodePackage(info),
    tags,
    retention: encodeRetention(retention),
    holds: holds.map((hold) => encodeHold(hold)),
  };
}

async function print({ info, tags, retention, holds }: Details): Promise<void> {
  const { expiresAt, retentionClass } = retention;
  const until = expiresAt === undefined ? "" : `, until ${formatTime(expiresAt)}`;
  await printLine(styled("bold", formatCoordinates(info)));
  await printFields({
    status: info.yankReason === undefined ? info.status : `${info.status}: ${info.yankReason}`,
    manifest: info.manifestDigest,
    files: `${formatCounted(info.fileCount, "file")}, ${formatSize(info.sizeBytes)}`,
    tags: tags.length > 0 ? tags.join(", ") : undefined,
    created: `${formatTime(info.createdAt)} by ${info.createdBy}`,
    finalized: info.finalizedAt === undefined ? undefined : formatTime(info.finalizedAt),
    retention: `${retentionClass}${until}`,
    held: holds.length > 0 ? holds.map((hold) => hold.reason).join("; ") : undefined,
    source: info.source,
    build: info.build,
    schema: info.metadataSchema,
    metadata: info.metadata === undefined ? undefined : JSON.stringify(info.metadata),
  });
}

const fileColumns: Column<FileInfo>[] = [
  { header: "SIZE", align: "right", value: (file) => formatSize(file.sizeBytes) },
  { header: "MODE", value: (file) => (file.executable ? "exec" : "") },
  { header: "OBJECT", value: (file) => file.address.slice(0, "blake3:".length + 12) },
  { header: "PATH", value: (file) => file.path },
];
