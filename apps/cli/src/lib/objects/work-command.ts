import { boolean, integer } from "@oclif/core/flags";
import { isStoreError } from "@store/identity";
import type { ObjectWorkOptions, ObjectWorkProgress } from "@store/registry";

import { HintedError } from "../hinted-error.ts";
import type { PlaceFlags } from "../place.ts";
import { StoreCommand } from "../store-command.ts";
import type { StoreService } from "../store-service.ts";
import type { ObjectWorkTelling } from "./work.ts";

interface WorkFlags extends PlaceFlags {
  readonly json?: boolean | undefined;
  readonly restart: boolean;
  readonly concurrency?: number | undefined;
}

/** A command that walks over the copies of all objects, and can be stopped and gone on with. */
export abstract class ObjectWorkCommand extends StoreCommand {
  static readonly workFlags = {
    restart: boolean({ default: false, summary: "Begin anew, not where it was left." }),
    concurrency: integer({
      min: 1,
      max: 64,
      helpValue: "<n>",
      summary: "Objects in hand at the same time, else 8.",
    }),
  };

  /** Does the work until its end, or until Ctrl-C. */
  protected async follow(
    flags: WorkFlags,
    telling: Pick<ObjectWorkTelling, "label" | "counts">,
    begin: (store: StoreService, options: ObjectWorkOptions) => AsyncIterable<ObjectWorkProgress>,
  ): Promise<void> {
    await this.interruptible(async (signal) => {
      const { followObjectWork } = await import("./work.ts");
      const { restart, concurrency } = flags;
      const options = { restart, signal, ...(concurrency === undefined ? {} : { concurrency }) };
      await this.withStore(flags, async (store) => {
        try {
          const work = begin(store, options);
          await followObjectWork(work, { ...telling, json: flags.json ?? false, signal });
        } catch (error) {
          throw hinted(error);
        }
      });
    });
  }
}

/** Where a backend was named that there is not, the message names those that there are. */
function hinted(error: unknown): unknown {
  if (!isStoreError(error, "invalid_argument") || error.context.candidates === undefined) {
    return error;
  }
  const { code, message, cause, context } = error;
  const hint = "See what each is for with `store backends`.";
  return new HintedError(code, message, hint, { cause, context });
}

/** What every one of them says of itself. */
export const goesOn =
  "The work can be stopped at any moment, by Ctrl-C too: the same command goes on where it was, and says " +
  "since when, also against another server of the instance. With --server the server does the work, and the command " +
  "waits for it. With --json each progress is a line, the last one with `done`.";
