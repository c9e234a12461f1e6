import { encodeUser } from "@store/api";

import { AccountCommand } from "../../lib/account-command.ts";
import { printDocument, printLine } from "../../lib/output.ts";
import { argument } from "../../lib/store-command.ts";

export default class UserDisable extends AccountCommand {
  static override summary = "Refuse a user's password and tokens, and end all sessions.";
  static override examples = [
    { description: "Take a user's access away", command: "<%= config.bin %> user disable bob" },
  ];
  static override args = { name: argument({ description: "The username." }) };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(UserDisable);
    const user = await this.withAccounts(flags, (accounts) => accounts.disableUser(args.name));
    if (flags.json) await printDocument(encodeUser(user));
    else await printLine(`${user.username} is disabled`);
  }
}
