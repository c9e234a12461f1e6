import { boolean, string } from "@oclif/core/flags";

import type { AccountService } from "./account-service.ts";
import { choosePlace, type PlaceFlags } from "./place.ts";
import { StoreCommand } from "./store-command.ts";

/** A command about users and tokens. */
export abstract class AccountCommand extends StoreCommand {
  /** Works with the accounts of the server that was named, or of the instance on this machine. */
  protected async withAccounts<T>(
    flags: PlaceFlags,
    work: (accounts: AccountService) => Promise<T>,
  ): Promise<T> {
    const place = choosePlace(flags);
    if (place.kind === "server") {
      return await this.withServer(place.url, ({ client }) => work(client));
    }
    return await this.withInstance(place.data, async (instance, { actor }) => {
      const { localAccounts } = await import("./account-service.ts");
      return await work(localAccounts(await instance.access(), actor));
    });
  }
}

export const passwordFlag = {
  "password-stdin": boolean({
    default: false,
    summary: "Read the password from stdin instead of asking for it.",
  }),
};

/** The flag that gives scopes; what they are is said by whoever grants them. */
export const scopeFlag = {
  scope: string({
    multiple: true,
    multipleNonGreedy: true,
    helpValue: "<scope>",
    summary: "What it may do, like read:* or write:acme/*; may be repeated.",
  }),
};
