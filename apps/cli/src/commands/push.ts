import { string as textArgument } from "@oclif/core/args";
import { boolean, string } from "@oclif/core/flags";
import { encodePackage } from "@store/api";
import {
  assertTag,
  formatCoordinates,
  parseReference,
  StoreError,
  type PackageCoordinates,
} from "@store/identity";

import { createExclusion } from "../lib/exclusion.ts";
import { formatCounted, formatSize } from "../lib/format.ts";
import { readJsonArgument } from "../lib/json-argument.ts";
import { printDocument, printLine, styled } from "../lib/output.ts";
import { planSources } from "../lib/push-sources.ts";
import type { PushOutcome, PushRequest } from "../lib/push.ts";
import { argument, StoreCommand } from "../lib/store-command.ts";
import { prose } from "../lib/prose.ts";
import { printFields } from "../lib/table.ts";

export default class Push extends StoreCommand {
  static override summary = "Store files as a package, and finalize it.";
  static override description = prose(`
The content of a single folder becomes the content of the package. A file, and each of several paths,
keeps its own name. '-' reads stdin, which --path names.

A package holds regular files. Symbolic links are refused unless --follow takes what they point at,
wherever that is; devices, sockets and pipes are refused always. Empty folders are not kept.

--exclude takes a glob. With a '/' it is matched against the path in the package, without one against
each name at any depth; a folder that matches is left out whole. The folder of the instance itself is
always left out.

A version never changes once it is finalized, so pushing one that exists is a conflict (exit code 4),
also with the same files. When the push fails or is interrupted, nothing stays behind.
`);
  static override examples = [
    { description: "Push a folder", command: "<%= config.bin %> push ./dist acme/app@1.2.0" },
    {
      description: "One variant for each platform, and a tag that moves to it",
      command: "<%= config.bin %> push ./app acme/app@1.2.0/linux-amd64 --tag stable",
    },
    {
      description: "Push what a command writes",
      command: "$ tar c src | <%= config.bin %> push - acme/src@1.2.0 --path src.tar",
    },
    {
      description: "Leave things out, and say where it comes from",
      command:
        "<%= config.bin %> push . acme/app@1.2.0 --exclude node_modules --exclude '*.log' " +
        '--source "$(git rev-parse HEAD)"',
    },
  ];
  static override args = {
    paths: textArgument({
      description: "Folders and files, or - for stdin.",
      multiple: true,
      required: true,
      ignoreStdin: true,
    }),
    reference: argument({ description: "The new package: namespace/name@version[/variant]." }),
  };
  static override flags = {
    tag: string({
      multiple: true,
      multipleNonGreedy: true,
      helpValue: "<tag>",
      summary: "Tag to set on it; may be repeated.",
    }),
    class: string({ helpValue: "<class>", summary: "Retention class, else standard." }),
    metadata: string({ helpValue: "<json>", summary: "A JSON object, or @<file> that holds one." }),
    schema: string({
      helpValue: "<name>",
      summary: "Registered schema that the metadata must satisfy, with @<revision> if need be.",
    }),
    source: string({ helpValue: "<text>", summary: "Where it comes from, e.g. a commit." }),
    build: string({ helpValue: "<text>", summary: "What built it, e.g. a job's address." }),
    exclude: string({
      multiple: true,
      multipleNonGreedy: true,
      helpValue: "<glob>",
      summary: "What to leave out; may be repeated.",
    }),
    follow: boolean({ default: false, summary: "Take what symbolic links point at." }),
    path: string({ helpValue: "<path>", summary: "The path in the package that stdin becomes." }),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Push);
    const { metadata, follow } = flags;
    // oclif types an argument that may be repeated as if it were given once.
    const paths = [args.paths].flat();
    const tags = [...new Set(flags.tag)];
    for (const tag of tags) assertTag(tag);
    const request: Omit<PushRequest, "instanceFolder"> = {
      package: {
        ...parseCoordinates(args.reference),
        ...(metadata === undefined
          ? {}
          : { metadata: await readJsonArgument(metadata, "--metadata") }),
        ...(flags.schema === undefined ? {} : { metadataSchema: flags.schema }),
        ...(flags.class === undefined ? {} : { retentionClass: flags.class }),
        ...(flags.source === undefined ? {} : { source: flags.source }),
        ...(flags.build === undefined ? {} : { build: flags.build }),
      },
      sources: await planSources(paths, { stdinPath: flags.path, follow }),
      tree: { isExcluded: createExclusion(flags.exclude ?? []), follow },
      tags,
    };
    const outcome = await this.interruptible(async (signal) => {
      const { pushPackage } = await import("../lib/push.ts");
      return await this.withStore(
        flags,
        (store, settings) =>
          pushPackage(store, { ...request, instanceFolder: settings?.dataFolder }, signal),
        { create: true },
      );
    });
    if (flags.json) await printDocument(outcomeJson(outcome));
    else await print(outcome);
  }
}

function parseCoordinates(text: string): PackageCoordinates {
  const { namespace, name, selector } = parseReference(text);
  if (selector.kind !== "version") {
    throw new StoreError(
      "invalid_reference",
      `'${text}' names no version; a new package is namespace/name@version[/variant].`,
      { context: { reference: text } },
    );
  }
  const { version, variant } = selector;
  return { namespace, name, version, ...(variant === undefined ? {} : { variant }) };
}

async function print(outcome: PushOutcome): Promise<void> {
  const { package: info, tags, newObjects, newBytes } = outcome;
  await printLine(styled("bold", formatCoordinates(info)));
  await printFields({
    manifest: info.manifestDigest,
    files: `${formatCounted(info.fileCount, "file")}, ${formatSize(info.sizeBytes)}`,
    stored: `${formatCounted(newObjects, "new object")}, ${formatSize(newBytes)}`,
    tags: tags.length > 0 ? tags.join(", ") : undefined,
  });
}

function outcomeJson(outcome: PushOutcome): object {
  return {
    package: encodePackage(outcome.package),
    tags: outcome.tags,
    new_object_count: outcome.newObjects,
    new_size: outcome.newBytes,
  };
}
