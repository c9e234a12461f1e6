import { AccountCommand } from "../../lib/account-command.ts";
import { printDocument, printLine } from "../../lib/output.ts";
import { argument } from "../../lib/store-command.ts";

export default class TokenRevoke extends AccountCommand {
  static override summary = "Revoke an API token, at once and for ever.";
  static override examples = [
    {
      description: "Revoke the token that `token list` shows",
      command: "<%= config.bin %> token revoke 0190c9a4-5c6f-7d3a-9b1e-2f4a6c8e0d12",
    },
  ];
  static override args = {
    token: argument({ description: "The token's id, which is not the token itself." }),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(TokenRevoke);
    await this.withAccounts(flags, (accounts) => accounts.revokeToken(args.token));
    if (flags.json) await printDocument({ id: args.token, revoked: true });
    else await printLine(`${args.token} is revoked`);
  }
}
