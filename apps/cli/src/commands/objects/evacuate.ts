import { string } from "@oclif/core/flags";

import { goesOn, ObjectWorkCommand } from "../../lib/objects/work-command.ts";
import { prose } from "../../lib/prose.ts";

export default class ObjectsEvacuate extends ObjectWorkCommand {
  static override summary = "Empty a backend, without losing an object.";
  static override description = prose(`
A copy is removed once another one was read and found whole, or was made: at --to, else at the primary
backend. The last whole copy of an object is never removed: it is named, and the exit code is 1, or 6
where its bytes are damaged. The primary backend cannot be emptied, and a mirror would be filled again:
change the placement first.

${goesOn}
`);
  static override examples = [
    {
      description: "Empty a disk that is to be taken away",
      command: "<%= config.bin %> objects evacuate --from old-disk",
    },
    {
      description: "Copy what is only there to another place than the primary",
      command: "<%= config.bin %> objects evacuate --from old-disk --to archive",
    },
  ];
  static override flags = {
    from: string({ required: true, helpValue: "<backend>", summary: "Backend to empty." }),
    to: string({
      helpValue: "<backend>",
      summary: "Where to copy what has no other whole copy, else the primary.",
    }),
    ...ObjectWorkCommand.workFlags,
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(ObjectsEvacuate);
    const { from, to } = flags;
    const telling = { label: "evacuating", counts: ["copied", "removed"] } as const;
    await this.follow(flags, telling, (store, options) =>
      store.evacuateObjects({ ...options, from, ...(to === undefined ? {} : { to }) }),
    );
  }
}
