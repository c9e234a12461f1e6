import { encodeTag } from "@store/api";
import { assertTag, formatCoordinates } from "@store/identity";

import { printDocument, printLine } from "../lib/output.ts";
import { argument, referenceArgument, StoreCommand } from "../lib/store-command.ts";

export default class Tag extends StoreCommand {
  static override summary = "Set a tag on a package, moving it if need be.";
  static override examples = [
    { description: "Release a version", command: "<%= config.bin %> tag acme/app@1.2.0 stable" },
    {
      description: "Let one tag follow another",
      command: "<%= config.bin %> tag acme/app:candidate stable",
    },
  ];
  static override args = {
    reference: referenceArgument({ required: true }),
    tag: argument({ description: "The tag's name, like stable." }),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Tag);
    assertTag(args.tag);
    await this.withStore(flags, async (store) => {
      const { package: info, warnings } = await store.resolve(args.reference);
      this.warnAll(warnings);
      const tag = await store.setTag({ packageId: info.id, tag: args.tag });
      if (flags.json) await printDocument(encodeTag(tag));
      else await printLine(`${tag.namespace}/${tag.name}:${tag.tag} is ${formatCoordinates(tag)}`);
    });
  }
}
