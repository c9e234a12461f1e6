import { custom, string as textArgument } from "@oclif/core/args";
import { Command } from "@oclif/core/command";
import { string } from "@oclif/core/flags";
import { parseReference, type Reference } from "@store/identity";
import type { Registry } from "@store/registry";
import type { Settings } from "@store/server/runtime";

import { printError, watchOutput } from "./output.ts";
import { InterruptedError } from "./interrupted-error.ts";
import { printable } from "./printable.ts";

// oclif's module of commands listens as well, and would end the process where stdout fails.
watchOutput();

/** What every command shares: `--json`, `--data`, the instance and the way an error is told. */
export abstract class StoreCommand extends Command {
  static override enableJsonFlag = true;
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
  protected async withRegistry<T>(
    data: string | undefined,
    work: (registry: Registry, settings: Settings) => Promise<T>,
    options: { readonly create?: boolean } = {},
  ): Promise<T> {
    const { openInstance, readSettings } = await import("@store/server/runtime");
    const settings = readSettings({ data });
    const instance = await openInstance(settings, options);
    try {
      return await work(instance.registry, settings);
    } finally {
      await instance.close();
    }
  }

  /**
   * Works with a signal that Ctrl-C aborts, for what must be undone when the command ends early.
   *
   * @throws {InterruptedError} where the work failed after that.
   */
  protected async interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { listenForInterruption } = await import("@store/server/runtime");
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
