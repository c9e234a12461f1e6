import { parseReference } from "@store/identity";

import { UsageError } from "../lib/usage-error.ts";
import { printDocument, printLine } from "../lib/output.ts";
import { argument, StoreCommand } from "../lib/store-command.ts";

export default class Untag extends StoreCommand {
  static override summary = "Remove a tag; the package stays.";
  static override examples = [
    { description: "Remove a tag", command: "<%= config.bin %> untag acme/app:stable" },
  ];
  static override args = {
    tag: argument({ description: "The tag: namespace/name:tag." }),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Untag);
    const { namespace, name, selector } = parseReference(args.tag);
    if (selector.kind !== "tag" || selector.variant !== undefined) {
      throw new UsageError(`'${args.tag}' is not a tag.`, "Give namespace/name:tag.");
    }
    const { tag } = selector;
    await this.withStore(flags, async (store) => {
      await store.removeTag({ namespace, name, tag });
    });
    if (flags.json) await printDocument({ namespace, name, tag, removed: true });
    else await printLine(`${args.tag} is removed`);
  }
}
