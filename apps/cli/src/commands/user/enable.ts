import { encodeUser } from "@store/api";

import { AccountCommand } from "../../lib/account-command.ts";
import { printDocument, printLine } from "../../lib/output.ts";
import { argument } from "../../lib/store-command.ts";

export default class UserEnable extends AccountCommand {
  static override summary = "Let a disabled user in again.";
  static override examples = [
    { description: "Give it back", command: "<%= config.bin %> user enable bob" },
  ];
  static override args = { name: argument({ description: "The username." }) };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(UserEnable);
    const user = await this.withAccounts(flags, (accounts) => accounts.enableUser(args.name));
    if (flags.json) await printDocument(encodeUser(user));
    else await printLine(`${user.username} is enabled`);
  }
}
