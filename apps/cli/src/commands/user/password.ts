import { AccountCommand, passwordFlag } from "../../lib/account-command.ts";
import { printDocument, printLine } from "../../lib/output.ts";
import { choosePlace } from "../../lib/place.ts";
import { prose } from "../../lib/prose.ts";
import { optionalArgument } from "../../lib/store-command.ts";
import { UsageError } from "../../lib/usage-error.ts";

export default class UserPassword extends AccountCommand {
  static override summary = "Change your password, or set another user's.";
  static override description = prose(`
Your own ends your other sessions; another user's, which an administrator sets, ends all of theirs.
API tokens stay. With --password-stdin your own takes two lines, the current password and the new one.
`);
  static override examples = [
    { description: "Change your own", command: "<%= config.bin %> user password" },
    {
      description: "Set another user's",
      command: "<%= config.bin %> user password bob",
    },
  ];
  static override args = {
    name: optionalArgument({ description: "The username; you, if absent." }),
  };
  static override flags = passwordFlag;

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(UserPassword);
    const { name } = args;
    if (name === undefined) await this.#own(flags);
    else await this.#other(name, flags);
    if (flags.json) await printDocument({ username: name, changed: true });
    else
      await printLine(
        name === undefined ? "Your password is changed" : `The password of ${name} is set`,
      );
  }

  async #own(flags: Flags): Promise<void> {
    const place = choosePlace(flags);
    if (place.kind === "instance") {
      throw new UsageError("You are no user on this machine.", "Name one, or give --server.");
    }
    const { readSecrets } = await import("../../lib/secret-input.ts");
    const [currentPassword = "", newPassword = ""] = await readSecrets(
      [{ label: "Current password" }, { label: "New password", isNew: true }],
      { fromStdin: flags["password-stdin"] },
    );
    await this.withServer(place.url, ({ client }) =>
      client.changePassword({ currentPassword, newPassword }),
    );
  }

  async #other(name: string, flags: Flags): Promise<void> {
    const { readSecrets } = await import("../../lib/secret-input.ts");
    const questions = [{ label: `New password of ${name}`, isNew: true }];
    const [password = ""] = await readSecrets(questions, { fromStdin: flags["password-stdin"] });
    await this.withAccounts(flags, (accounts) => accounts.setUserPassword(name, password));
  }
}

interface Flags {
  readonly data?: string | undefined;
  readonly server?: string | undefined;
  readonly "password-stdin": boolean;
}
