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
`);
  static override examples = [
    { description: "Serve ./data on 127.0.0.1:8000", command: "<%= config.bin %> serve" },
    {
      description: "Serve to others",
      command: "<%= config.bin %> serve --data /srv/store --host 0.0.0.0 --port 80",
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
      onListening: async ({ url, setupToken }) => {
        const place = settings.publicUrl ?? url;
        if (flags.json) await printDocument({ url, setup_token: setupToken });
        else await printLine(`Store listens on ${url}`);
        if (setupToken !== undefined && !flags.json) await printLine(welcome(place, setupToken));
      },
    });
  }
}

/** What to type first. The token is told this once, and nowhere else. */
function welcome(url: string, setupToken: string): string {
  return `
Nobody has an account here yet. Make the first, who may do everything, with the setup token, which is
shown this once:

  STORE_TOKEN=${setupToken} store user create <name> --server ${url}

Then log in:

  store login <name> --server ${url}

If the token is lost, \`store user create <name>\` on this machine makes the first user without it.`;
}
