import { boolean } from "@oclif/core/flags";
import { encodeToken, type TokenInfo } from "@store/api";

import { AccountCommand } from "../../lib/account-command.ts";
import { formatTime } from "../../lib/format.ts";
import { mapPages, printLists } from "../../lib/json-list.ts";
import { printNote } from "../../lib/output.ts";
import { allPages } from "../../lib/pages.ts";
import { printTable, type Column } from "../../lib/table.ts";

export default class TokenList extends AccountCommand {
  static override summary = "List API tokens, without the tokens themselves.";
  static override examples = [
    { description: "Yours", command: "<%= config.bin %> token list" },
    {
      description: "Everybody's, as an administrator",
      command: "<%= config.bin %> token list --all",
    },
  ];
  static override flags = {
    all: boolean({ default: false, summary: "Everybody's; on this machine always." }),
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(TokenList);
    const { all } = flags;
    await this.withAccounts(flags, async (accounts) => {
      const pages = allPages((page) => accounts.listTokens({ all }, page));
      if (flags.json) await printLists({ tokens: mapPages(pages, encodeToken) });
      else if ((await printTable(columns, pages)) === 0) printNote("No tokens.");
    });
  }
}

const columns: Column<TokenInfo>[] = [
  { header: "TOKEN", value: (token) => token.id },
  { header: "OWNER", value: (token) => token.owner },
  { header: "USED", value: (token) => time(token.lastUsedAt, "never") },
  { header: "ENDS", value: endOf },
  { header: "NAME", value: (token) => token.name },
  { header: "SCOPES", value: (token) => token.scopes.join(", ") },
];

function endOf({ expiresAt, revokedAt }: TokenInfo): string {
  return revokedAt === undefined ? time(expiresAt, "never") : "revoked";
}

function time(at: string | undefined, otherwise: string): string {
  return at === undefined ? otherwise : formatTime(at);
}
