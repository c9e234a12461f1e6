import { string } from "@oclif/core/flags";

import { goesOn, ObjectWorkCommand } from "../../lib/objects/work-command.ts";
import { prose } from "../../lib/prose.ts";

export default class ObjectsReplicate extends ObjectWorkCommand {
  static override summary = "Copy to a backend every object that it lacks, or holds damaged.";
  static override description = prose(`
Bytes are held against both digests on their way. An object that cannot be copied is named, and the
exit code is 1, or 6 where its bytes are damaged; the others are copied all the same. A backend that is
a mirror gets its copies from the server by itself: this is for the first filling, and for others.

${goesOn}
`);
  static override examples = [
    {
      description: "Fill a backend",
      command: "<%= config.bin %> objects replicate --to archive",
    },
    {
      description: "Read from one backend only, and with more at once",
      command: "<%= config.bin %> objects replicate --to mirror --from primary --concurrency 32",
    },
  ];
  static override flags = {
    to: string({
      required: true,
      helpValue: "<backend>",
      summary: "Backend that gets the copies.",
    }),
    from: string({
      helpValue: "<backend>",
      summary: "Backend to read from, else each that has a whole copy, in read order.",
    }),
    ...ObjectWorkCommand.workFlags,
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(ObjectsReplicate);
    const { to, from } = flags;
    const telling = { label: "replicating", counts: ["copied"] } as const;
    await this.follow(flags, telling, (store, options) =>
      store.replicateObjects({ ...options, to, ...(from === undefined ? {} : { from }) }),
    );
  }
}
