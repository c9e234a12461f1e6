import { custom, string as textArgument } from "@oclif/core/args";
import { Command } from "@oclif/core/command";
import { string } from "@oclif/core/flags";
import { parseReference, type Reference } from "@store/identity";
import type { Instance, Settings } from "@store/server/runtime";

import { InterruptedError } from "./interrupted-error.ts";
import { printError, watchOutput } from "./output.ts";
import { choosePlace, type PlaceFlags } from "./place.ts";
import { printable } from "./printable.ts";
import type { Connection, ConnectOptions } from "./remote.ts";
import type { StoreService } from "./store-service.ts";

// oclif's module of commands listens as well, and would end the process where stdout fails.
watchOutput();

interface OpenOptions {
  /** Makes the instance where there is none on this machine. */
  readonly create?: boolean;
}

/** What all commands share. */
export abstract class PlainCommand extends Command {
  static override enableJsonFlag = true;

  /**
   * Works with a signal that Ctrl-C aborts, for what must be undone when the command ends early.
   *
   * @throws {InterruptedError} where the work failed after that.
   */
  protected async interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { listenForInterruption } = await import("@store/server/process");
    using interruption = listenForInterruption();
    try {
      return await work(interruption.signal);
    } catch (error) {
      const exitCode = interruption.exitCode();
      throw exitCode === undefined ? error : new InterruptedError(exitCode, error);
    }
  }

  protected warnAll(warnings: readonly string[]): void {
    for (const warning of warnings) printError("warning", printable(warning));
  }

  /** Errors are told in one place, by the process's entry. */
  protected override async catch(error: Error): Promise<never> {
    throw error;
  }
}

/** A command that only an instance on this machine can do. */
export abstract class InstanceCommand extends PlainCommand {
  static override baseFlags = {
    data: string({
      helpGroup: "GLOBAL",
      helpValue: "<dir>",
      summary: "Folder of the instance, else STORE_DATA, else ./data.",
    }),
  };

  /**
   * Opens the instance, works with it and closes it again. Without `create`, a place without an
   * instance is refused, so that a mistyped folder does not become a new and empty one.
   */
  protected async withInstance<T>(
    data: string | undefined,
    work: (instance: Instance, settings: Settings) => Promise<T>,
    options: OpenOptions = {},
  ): Promise<T> {
    const { openInstance, readSettings } = await import("@store/server/runtime");
    const settings = readSettings({ data });
    const instance = await openInstance(settings, options);
    try {
      return await work(instance, settings);
    } finally {
      await instance.close();
    }
  }
}

/** A command that works with an instance on this machine, or with a server. */
export abstract class StoreCommand extends InstanceCommand {
  static override baseFlags = {
    ...InstanceCommand.baseFlags,
    server: string({
      helpGroup: "GLOBAL",
      helpValue: "<url>",
      summary: "Server to work with instead, else STORE_URL.",
    }),
  };

  /** Works with the server that was named, or else with the instance on this machine. */
  protected async withStore<T>(
    flags: PlaceFlags,
    work: (store: StoreService, settings?: Settings) => Promise<T>,
    options: OpenOptions = {},
  ): Promise<T> {
    const place = choosePlace(flags);
    if (place.kind === "server") {
      return await this.withServer(place.url, ({ client }) => work(client));
    }
    return await this.withInstance(
      place.data,
      async ({ registry }, settings) => {
        const { localStore } = await import("./store-service.ts");
        return await work(localStore(registry), settings);
      },
      options,
    );
  }

  /** Works with a server, and says what to do where that refuses or is not there. */
  protected async withServer<T>(
    url: string,
    work: (connection: Connection) => Promise<T>,
    options: Pick<ConnectOptions, "credential"> = {},
  ): Promise<T> {
    const { connect, explained } = await import("./remote.ts");
    const userAgent = `store/${this.config.version}`;
    using connection = await connect(url, { userAgent, ...options });
    try {
      return await work(connection);
    } catch (error) {
      throw explained(error, connection);
    }
  }
}

/** A required argument. Without this, oclif would read a missing one from stdin. */
export function argument(options: { readonly description: string }) {
  return textArgument({ ...options, required: true, ignoreStdin: true });
}

/** An argument that may be left out. */
export function optionalArgument(options: { readonly description: string }) {
  return textArgument({ ...options, ignoreStdin: true });
}

/** The argument that names a package; what follows no grammar is refused before anything is opened. */
export const referenceArgument = custom<Reference>({
  description:
    "The package: acme/app@1.2.0, acme/app@1.2.0/linux-amd64, acme/app:stable, acme/app.",
  ignoreStdin: true,
  parse: async (text) => parseReference(text),
});
