import { encodeUser, type UserInfo } from "@store/api";

import { AccountCommand } from "../../lib/account-command.ts";
import { formatTime } from "../../lib/format.ts";
import { mapPages, printLists } from "../../lib/json-list.ts";
import { printNote } from "../../lib/output.ts";
import { allPages } from "../../lib/pages.ts";
import { printTable, type Column } from "../../lib/table.ts";

export default class UserList extends AccountCommand {
  static override summary = "List the users.";
  static override examples = [{ description: "List them", command: "<%= config.bin %> user list" }];

  override async run(): Promise<void> {
    const { flags } = await this.parse(UserList);
    await this.withAccounts(flags, async (accounts) => {
      const pages = allPages((page) => accounts.listUsers(page));
      if (flags.json) await printLists({ users: mapPages(pages, encodeUser) });
      else if ((await printTable(columns, pages)) === 0) printNote("No users.");
    });
  }
}

const columns: Column<UserInfo>[] = [
  { header: "USER", value: (user) => user.username },
  { header: "CREATED", value: (user) => formatTime(user.createdAt) },
  { header: "STATUS", value: (user) => (user.disabledAt === undefined ? "" : "disabled") },
  { header: "SCOPES", value: (user) => user.scopes.join(", ") },
];
