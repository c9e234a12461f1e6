import { encodeFile } from "@store/api";

import { AnsweredError, errorJson, toStoreError } from "../lib/error-report.ts";
import { outcomeOf } from "../lib/exit-codes.ts";
import { OutputClosedError, printBytes, printError } from "../lib/output.ts";
import { printable } from "../lib/printable.ts";
import { argument, referenceArgument, StoreCommand } from "../lib/store-command.ts";
import type { ReadFile } from "../lib/store-service.ts";
import { prose } from "../lib/prose.ts";

export default class Cat extends StoreCommand {
  static override summary = "Write a file of a package to stdout, verified.";
  static override description = prose(`
The bytes are written while they are read and verified, so what is wrong is known only at the end:
use them if the exit code is 0. With --json the document holds them as base64.
`);
  static override examples = [
    { description: "Read a file", command: "<%= config.bin %> cat acme/app@1.2.0 README.md" },
    {
      description: "Unpack an archive",
      command: "<%= config.bin %> cat acme/src:stable src.tar | tar x",
    },
  ];
  static override args = {
    reference: referenceArgument({ required: true }),
    path: argument({ description: "The file's path in the package." }),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Cat);
    await this.interruptible(async (signal) => {
      await this.withStore(flags, async (store) => {
        const { package: info, warnings } = await store.resolve(args.reference);
        this.warnAll(warnings);
        const opened = await store.getFile(info.id, args.path, { signal });
        if (flags.json) await printJson(opened);
        else for await (const chunk of opened.body) await printBytes(chunk);
      });
    });
  }
}

/** One document, whatever the size: the content is encoded while it is read. */
async function printJson({ file, body }: ReadFile): Promise<void> {
  await printBytes(`${JSON.stringify(encodeFile(file)).slice(0, -1)},"content_base64":"`);
  let kept = Buffer.alloc(0);
  try {
    for await (const chunk of body) {
      const bytes = Buffer.concat([kept, chunk]);
      // Three bytes are four characters, so that the parts join without padding between them.
      const whole = bytes.byteLength - (bytes.byteLength % 3);
      await printBytes(bytes.subarray(0, whole).toString("base64"));
      kept = bytes.subarray(whole);
    }
    await printBytes(`${kept.toString("base64")}"}\n`);
  } catch (error) {
    if (error instanceof OutputClosedError) throw error;
    // The document has begun, so it is ended as one that tells of the error.
    const known = toStoreError(error);
    await printBytes(`","error":${JSON.stringify(errorJson(known))}}\n`);
    printError("error", printable(known.message));
    throw new AnsweredError(outcomeOf(known.code).exit);
  }
}
