import { formatTime } from "../lib/format.ts";
import { printDocument } from "../lib/output.ts";
import { choosePlace } from "../lib/place.ts";
import { StoreCommand } from "../lib/store-command.ts";
import { printFields } from "../lib/table.ts";

export default class Whoami extends StoreCommand {
  static override summary = "Say whom events name for what you do, and what you may do.";
  static override examples = [
    {
      description: "At a server",
      command: "<%= config.bin %> whoami --server https://store.example.org",
    },
    { description: "On this machine", command: "<%= config.bin %> whoami" },
  ];

  override async run(): Promise<void> {
    const { flags } = await this.parse(Whoami);
    const place = choosePlace(flags);
    const identity =
      place.kind === "server" ? await this.#remote(place.url) : await this.#local(place.data);
    if (flags.json) await printDocument(identity);
    else await print(identity);
  }

  async #remote(url: string): Promise<Identity> {
    return await this.withServer(url, async ({ client, credential }) => {
      const { actor, kind, username, scopes, expiresAt } = await client.me();
      const shown = credential === "none" ? {} : { credential };
      // That of a session is that of its access token, which means nothing to a person.
      const end = credential === "token" ? { expires_at: expiresAt } : {};
      return { server: client.url, actor, kind, username, scopes, ...shown, ...end };
    });
  }

  async #local(data: string | undefined): Promise<Identity> {
    const { readSettings } = await import("@store/server/runtime");
    const { formatScope, localPrincipal } = await import("@store/access");
    const { actor, dataFolder } = readSettings({ data });
    const { kind, scopes } = localPrincipal(actor);
    return { data: dataFolder, actor, kind, scopes: scopes.map((scope) => formatScope(scope)) };
  }
}

interface Identity {
  readonly server?: string;
  readonly data?: string;
  readonly actor: string;
  readonly kind: string;
  readonly username?: string | undefined;
  readonly scopes: readonly string[];
  readonly credential?: string;
  readonly expires_at?: string | undefined;
}

async function print(identity: Identity): Promise<void> {
  const { server, data, actor, username, scopes, credential, expires_at } = identity;
  const credentials: Readonly<Record<string, string>> = {
    token: "STORE_TOKEN",
    session: "the session of `store login`",
  };
  await printFields({
    server,
    data,
    actor,
    username,
    scopes: scopes.length > 0 ? scopes.join(", ") : "none",
    by: credential === undefined ? undefined : credentials[credential],
    expires: expires_at === undefined ? undefined : formatTime(expires_at),
  });
}
