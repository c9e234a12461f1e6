import { localPrincipal, type Access } from "@store/access";
import type { Page, TokenInfo } from "@store/api";
import type { AccountMethods, CreatedToken } from "@store/client";
import type { PageOptions } from "@store/registry";

import { UsageError } from "./usage-error.ts";

/** What commands do with accounts, of a server or of an instance on this machine. */
export interface AccountService extends Pick<
  AccountMethods,
  | "createUser"
  | "disableUser"
  | "enableUser"
  | "listUsers"
  | "revokeToken"
  | "setUserPassword"
  | "setUserScopes"
> {
  createToken(input: NewToken): Promise<CreatedToken>;
  listTokens(filter: { readonly all: boolean }, page: PageOptions): Promise<Page<TokenInfo>>;
}

export interface NewToken {
  readonly name: string;
  /** All of the owner's unless given. */
  readonly scopes?: readonly string[];
  /** Never, unless given. */
  readonly expiresInSeconds?: number;
  /** On this machine, the user that it belongs to; a server gives it to whoever asks. */
  readonly owner?: string;
}

/** What the first user may do, as with the setup token. */
const firstScopes = ["admin:*", "metrics"];

/** The accounts of an instance on this machine: whoever has it at hand may do everything. */
export function localAccounts(access: Access, actor: string): AccountService {
  const by = localPrincipal(actor);
  return {
    async createUser(input) {
      const { items } = await access.listUsers(by, { limit: 1 });
      return await access.createUser(
        by,
        items.length > 0 ? input : { ...input, scopes: firstScopes },
      );
    },
    listUsers: (page) => access.listUsers(by, page),
    disableUser: (username) => access.disableUser(by, username),
    enableUser: (username) => access.enableUser(by, username),
    setUserScopes: (username, scopes) => access.setScopes(by, username, scopes),
    setUserPassword: (username, password) => access.setPassword(by, username, password),
    createToken({ expiresInSeconds, owner, ...input }) {
      if (owner === undefined) {
        throw new UsageError("A token belongs to a user.", "Name the user with --owner.");
      }
      const life = expiresInSeconds === undefined ? {} : { expiresInMs: expiresInSeconds * 1000 };
      return access.createToken(by, { ...input, ...life, owner });
    },
    // Whoever is at the machine has no tokens, so that all are meant.
    listTokens: (_filter, page) => access.listTokens(by, { ...page, all: true }),
    revokeToken: (tokenId) => access.revokeToken(by, tokenId),
  };
}
