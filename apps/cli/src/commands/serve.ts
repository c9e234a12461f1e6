import { integer, string } from "@oclif/core/flags";

import { printDocument, printLine, printNote } from "../lib/output.ts";
import { printable } from "../lib/printable.ts";
import { InstanceCommand } from "../lib/store-command.ts";
import { prose } from "../lib/prose.ts";

export default class Serve extends InstanceCommand {
  static override summary = "Serve the instance over HTTP.";
  static override description = prose(`
Makes the instance where there is none. Ctrl-C or SIGTERM ends it: requests under way are answered
first; a second signal ends it at once.

It speaks plain HTTP, and passwords must not cross a network so: serve others behind a proxy that
speaks TLS. More is set by variables of the environment, such as STORE_LOG=json.
`);
  static override examples = [
    { description: "Serve ./data on 127.0.0.1:8000", command: "<%= config.bin %> serve" },
    {
      description: "Serve a team, by four processes, to the proxy on this machine",
      command: "<%= config.bin %> serve --data /srv/store --port 8080 --workers 4",
    },
  ];
  static override flags = {
    host: string({
      helpValue: "<address>",
      summary: "Address to listen on, else STORE_HOST, else 127.0.0.1.",
    }),
    port: integer({
      min: 0,
      max: 65_535,
      helpValue: "<port>",
      summary: "Port to listen on, else STORE_PORT, else 8000; 0 takes a free one.",
    }),
    workers: integer({
      min: 1,
      max: 256,
      helpValue: "<n>",
      summary: "Processes that answer on one port, else STORE_WORKERS, else 1.",
    }),
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(Serve);
    const { data, host, port, workers } = flags;
    const { listenForInterruption } = await import("@store/server/process");
    const { readSettings } = await import("@store/server/runtime");
    const { createLog, serve } = await import("@store/server");
    using interruption = listenForInterruption();
    const settings = readSettings({ data, host, port, workers });
    await serve({
      settings,
      signal: interruption.signal,
      log: await createLog(settings.log, (line) => printNote(printable(line))),
      onListening: async ({ url, setupToken, hasUsers }) => {
        if (flags.json) return await printDocument({ url, setup_token: setupToken });
        await printLine(`Store listens on ${url}`);
        if (hasUsers) return;
        const place = { url: settings.publicUrl ?? url, data: settings.dataFolder };
        await printLine(printable(firstSteps(place, setupToken)));
      },
    });
  }
}

/** What to type first, where nobody has an account. The token is told this once, and nowhere else. */
function firstSteps(
  place: { readonly url: string; readonly data: string },
  token?: string,
): string {
  const { url, data } = place;
  if (token === undefined) {
    return `
Nobody has an account here yet. The setup token was shown at the first start; without it make the first
user, who may do everything, on this machine:

  store user create <name> --data ${data}`;
  }
  return `
Nobody has an account here yet. Make the first, who may do everything, with the setup token, which is
shown this once:

  STORE_TOKEN=${token} store user create <name> --server ${url}

Then log in:

  store login <name> --server ${url}

Where the token is lost, make the first user without it, on this machine:

  store user create <name> --data ${data}`;
}
