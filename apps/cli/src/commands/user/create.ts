import { encodeUser } from "@store/api";

import { AccountCommand, passwordFlag, scopeFlag } from "../../lib/account-command.ts";
import { printDocument, printLine } from "../../lib/output.ts";
import { prose } from "../../lib/prose.ts";
import { argument } from "../../lib/store-command.ts";

export default class UserCreate extends AccountCommand {
  static override summary = "Make a user.";
  static override description = prose(`
The first user may do everything, whatever is given; the setup token that \`store serve\` prints makes
it, in STORE_TOKEN. Others may do what --scope says: read, write and admin, each over names by a
pattern, like read:* or write:acme/*, and metrics.
`);
  static override examples = [
    {
      description: "Make the first user, who may do everything",
      command: "$ STORE_TOKEN=<setup token> <%= config.bin %> user create ada",
    },
    {
      description: "Make one who publishes what is acme's",
      command: "<%= config.bin %> user create bob --scope 'read:*' --scope 'write:acme/*'",
    },
  ];
  static override args = { name: argument({ description: "The username." }) };
  static override flags = { ...scopeFlag, ...passwordFlag };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(UserCreate);
    const { readSecrets } = await import("../../lib/secret-input.ts");
    const fromStdin = flags["password-stdin"];
    const questions = [{ label: `Password of ${args.name}`, isNew: true }];
    const [password = ""] = await readSecrets(questions, { fromStdin });
    const scopes = flags.scope === undefined ? {} : { scopes: flags.scope };
    const user = await this.withAccounts(flags, (accounts) =>
      accounts.createUser({ username: args.name, password, ...scopes }),
    );
    if (flags.json) await printDocument(encodeUser(user));
    else {
      const may = user.scopes.length === 0 ? "no scopes" : user.scopes.join(", ");
      await printLine(`${user.username} is created, with ${may}`);
    }
  }
}
