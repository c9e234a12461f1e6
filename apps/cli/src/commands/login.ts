import { printDocument, printError, printLine } from "../lib/output.ts";
import { AccountCommand, passwordFlag } from "../lib/account-command.ts";
import { chooseServer } from "../lib/place.ts";
import { printable } from "../lib/printable.ts";
import { prose } from "../lib/prose.ts";
import { optionalArgument } from "../lib/store-command.ts";

export default class Login extends AccountCommand {
  static override summary = "Begin a session at a server, for the commands that follow.";
  static override description = prose(`
The password is asked for, and not kept. The session is: in a file that only its owner can read,
credentials.json in ~/.config/store, or where STORE_CREDENTIALS says. It lives on for as long as it
is used now and then.

A program uses an API token instead, in STORE_TOKEN; see \`store token create\`.
`);
  static override examples = [
    {
      description: "Log in",
      command: "<%= config.bin %> login ada --server https://store.example.org",
    },
    {
      description: "Take the password from a password manager",
      command: "$ pass store | <%= config.bin %> login ada --password-stdin",
    },
  ];
  static override args = {
    username: optionalArgument({ description: "Who you are at the server; asked for if absent." }),
  };
  static override flags = passwordFlag;

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Login);
    const { beginSession } = await import("../lib/credentials/login.ts");
    const url = chooseServer(flags);
    const me = await this.withServer(
      url,
      ({ client }) =>
        beginSession(client, {
          username: args.username,
          fromStdin: flags["password-stdin"],
        }),
      { credential: "none" },
    );
    if (process.env.STORE_TOKEN) {
      printError("warning", "STORE_TOKEN is set, and is used instead of the session.");
    }
    if (flags.json) await printDocument(me);
    else await printLine(printable(`Logged in to ${me.server} as ${me.username}`));
  }
}
