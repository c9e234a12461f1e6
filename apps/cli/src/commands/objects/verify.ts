import { string } from "@oclif/core/flags";

import { goesOn, ObjectWorkCommand } from "../../lib/objects/work-command.ts";
import { prose } from "../../lib/prose.ts";

export default class ObjectsVerify extends ObjectWorkCommand {
  static override summary = "Read every copy of every object, and hold it against its digests.";
  static override description = prose(`
Each copy that is missing or damaged is named, and recorded as an event, once; from then on it is not
read, and written anew where it is a mirror's. One that is whole again is recorded too. The exit code is
6 when copies are damaged, 1 when some could not be read. Copies in an archive are passed over, and so
is a backend that is away, which is named once; with --backend its exit code is 7.
\`store verify --all\` reads what packages need, from wherever it is; this reads every copy.

${goesOn}
`);
  static override examples = [
    { description: "Verify every copy", command: "<%= config.bin %> objects verify" },
    {
      description: "Verify those of one backend, from the beginning",
      command: "<%= config.bin %> objects verify --backend mirror --restart",
    },
  ];
  static override flags = {
    backend: string({
      helpValue: "<backend>",
      summary: "Backend whose copies are read, else all.",
    }),
    ...ObjectWorkCommand.workFlags,
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(ObjectsVerify);
    const { backend } = flags;
    const telling = { label: "verifying", counts: ["changed"] } as const;
    await this.follow(flags, telling, (store, options) =>
      store.verifyObjects({ ...options, ...(backend === undefined ? {} : { backend }) }),
    );
  }
}
