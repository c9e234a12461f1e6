import { boolean } from "@oclif/core/flags";
import { encodeUser } from "@store/api";

import { AccountCommand, scopeFlag } from "../../lib/account-command.ts";
import { printDocument, printLine } from "../../lib/output.ts";
import { argument } from "../../lib/store-command.ts";
import { UsageError } from "../../lib/usage-error.ts";

export default class UserScopes extends AccountCommand {
  static override summary = "Set what a user may do, in place of what it was.";
  static override examples = [
    {
      description: "Let a user read everything and publish what is acme's",
      command: "<%= config.bin %> user scopes bob --scope 'read:*' --scope 'write:acme/*'",
    },
    { description: "Let a user do nothing", command: "<%= config.bin %> user scopes bob --none" },
  ];
  static override args = { name: argument({ description: "The username." }) };
  static override flags = {
    ...scopeFlag,
    none: boolean({ default: false, summary: "No scope at all." }),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(UserScopes);
    const scopes = flags.scope ?? [];
    if (flags.none === scopes.length > 0) {
      throw new UsageError("Say what the user may do.", "Give --scope, or --none.");
    }
    const user = await this.withAccounts(flags, (accounts) =>
      accounts.setUserScopes(args.name, scopes),
    );
    if (flags.json) await printDocument(encodeUser(user));
    else await printLine(`${user.username} has ${user.scopes.join(", ") || "no scopes"}`);
  }
}
