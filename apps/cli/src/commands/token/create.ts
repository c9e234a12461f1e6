import { string } from "@oclif/core/flags";
import { encodeToken } from "@store/api";

import { AccountCommand, scopeFlag } from "../../lib/account-command.ts";
import { parseLifetime } from "../../lib/lifetime.ts";
import { printDocument, printLine } from "../../lib/output.ts";
import { choosePlace } from "../../lib/place.ts";
import { prose } from "../../lib/prose.ts";
import { argument } from "../../lib/store-command.ts";
import { UsageError } from "../../lib/usage-error.ts";

export default class TokenCreate extends AccountCommand {
  static override summary = "Make an API token, and print it this once.";
  static override description = prose(`
A program shows it as STORE_TOKEN, or in \`Authorization: Bearer\`. It may do what its owner may, or as
much of that as --scope says. Scopes are read, write and admin, each over names by a pattern, like
read:* or write:acme/*; admin includes write, and write includes read.

Nothing but the token is written to stdout, so that it can be piped to where it is kept.
`);
  static override examples = [
    {
      description: "One that publishes for 30 days",
      command: "<%= config.bin %> token create ci --scope 'write:acme/*' --expires 30d",
    },
    {
      description: "On the machine of the instance, for a user",
      command: "<%= config.bin %> token create backup --owner ada --scope 'read:*'",
    },
  ];
  static override args = { name: argument({ description: "What it is for." }) };
  static override flags = {
    ...scopeFlag,
    expires: string({
      helpValue: "<time>",
      summary: "How long it lives, like 30d; else for ever.",
    }),
    owner: string({
      helpValue: "<user>",
      summary: "The user that it belongs to, on this machine; at a server it is yours.",
    }),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(TokenCreate);
    const { scope: scopes, expires, owner } = flags;
    if (owner !== undefined && choosePlace(flags).kind === "server") {
      throw new UsageError(
        "At a server a token belongs to whoever makes it.",
        "Leave --owner out, or run the command on the machine of the instance.",
      );
    }
    const input = {
      name: args.name,
      ...(scopes === undefined ? {} : { scopes }),
      ...(expires === undefined ? {} : { expiresInSeconds: parseLifetime(expires) }),
      ...(owner === undefined ? {} : { owner }),
    };
    const created = await this.withAccounts(flags, (accounts) => accounts.createToken(input));
    if (flags.json) await printDocument({ ...encodeToken(created), token: created.token });
    else await printLine(created.token);
  }
}
