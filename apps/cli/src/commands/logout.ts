import { CredentialsFile, type StoredSession } from "../lib/credentials/credentials-file.ts";
import { formatTime } from "../lib/format.ts";
import { printDocument, printError, printLine } from "../lib/output.ts";
import { chooseServer } from "../lib/place.ts";
import { printable } from "../lib/printable.ts";
import { StoreCommand } from "../lib/store-command.ts";

export default class Logout extends StoreCommand {
  static override summary = "End the session at a server, and forget it.";
  static override description =
    "It is forgotten also where the server cannot be reached; there it ends by itself, later.";
  static override examples = [
    {
      description: "Log out",
      command: "<%= config.bin %> logout --server https://store.example.org",
    },
  ];

  override async run(): Promise<void> {
    const { flags } = await this.parse(Logout);
    const { server, session, failure } = await this.withServer(
      chooseServer(flags),
      async ({ client }) => {
        const { endSession } = await import("../lib/credentials/login.ts");
        const server = client.url;
        const session = await forget(server);
        if (session === undefined) return { server };
        // Told, not thrown: what was asked for first is done.
        const end = endSession(client, session.refreshToken);
        return { server, session, failure: await end.then(() => undefined, String) };
      },
      { credential: "none" },
    );
    if (failure !== undefined) {
      const until = session?.refreshExpiresAt;
      const ends = until === undefined ? "" : `, until ${formatTime(until)} at the latest`;
      const message = `The session is forgotten here, but lives on at ${server}${ends}: ${failure}`;
      printError("warning", printable(message));
    }
    const isEnded = session !== undefined && failure === undefined;
    if (flags.json) {
      await printDocument({ server, forgotten: session !== undefined, ended: isEnded });
    } else if (session === undefined) await printLine(`There was no session at ${server}`);
    else await printLine(`Logged out of ${server}`);
  }
}

async function forget(url: string): Promise<StoredSession | undefined> {
  return await new CredentialsFile().change(async (sessions, save) => {
    const session = sessions.get(url);
    if (session !== undefined) await save(new Map([...sessions].filter(([at]) => at !== url)));
    return session;
  });
}
