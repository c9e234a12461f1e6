import { string as textArgument } from "@oclif/core/args";
import { integer, string } from "@oclif/core/flags";
import { encodeObjectLocations } from "@store/api";
import { isStoreError, StoreError } from "@store/identity";
import type { ObjectLocations, RestoreObjectOptions } from "@store/registry";

import { forEachBounded } from "../../lib/bounded.ts";
import { AnsweredError } from "../../lib/error-report.ts";
import { outcomeOf } from "../../lib/exit-codes.ts";
import { formatCount, formatCounted } from "../../lib/format.ts";
import { assertTarget, objectTargets, type ObjectTarget } from "../../lib/objects/targets.ts";
import { printDocument, printError, printLine } from "../../lib/output.ts";
import { printable } from "../../lib/printable.ts";
import { prose } from "../../lib/prose.ts";
import { StoreCommand } from "../../lib/store-command.ts";
import type { StoreService } from "../../lib/store-service.ts";
import { UsageError } from "../../lib/usage-error.ts";

const objectsAtOnce = 8;
const speeds = ["expedited", "standard", "bulk"] as const;

export default class ObjectsRestore extends StoreCommand {
  static override summary = "Ask the archives for objects, so that they can be read later.";
  static override description = prose(`
An object is named by its address, or by a package that has it: then all files of the package are asked
for. An archive takes minutes to hours, and the slower it may be the less it costs; \`store objects
locate\` shows how far it is. After --days the copy in the archive alone remains, and can be asked for
again. What can be read at once needs no restoring, and is left alone.
`);
  static override examples = [
    {
      description: "Ask for all files of a package, for a week",
      command: "<%= config.bin %> objects restore acme/app@1.2.0 --days 7",
    },
    {
      description: "Ask for one object, as fast as the archive can",
      command: "<%= config.bin %> objects restore blake3:8e4c… --days 1 --speed expedited",
    },
  ];
  static override args = {
    objects: textArgument({
      description: "Content addresses, and packages of which all files are meant.",
      multiple: true,
      required: true,
      ignoreStdin: true,
    }),
  };
  static override flags = {
    days: integer({
      required: true,
      min: 1,
      max: 365,
      helpValue: "<n>",
      summary: "For how many days they can be read then, 1 to 365.",
    }),
    speed: string({
      options: speeds,
      helpValue: "<speed>",
      summary: "expedited, standard or bulk, else standard.",
    }),
    backend: string({
      helpValue: "<backend>",
      summary: "Backend whose copies are asked for, else every archived copy.",
    }),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(ObjectsRestore);
    const { days, speed, backend } = flags;
    // oclif types an argument that may be repeated as if it were given once.
    const texts = [args.objects].flat();
    for (const text of texts) assertTarget(text);
    const options: RestoreObjectOptions = {
      days,
      ...(speed === undefined ? {} : { speed: speedOf(speed) }),
      ...(backend === undefined ? {} : { backend }),
    };
    const asking = await this.interruptible((signal) =>
      this.withStore(flags, async (store) => {
        if (backend !== undefined) await assertBackend(store, backend);
        const asking = new Asking(store, options);
        const warn = (said: readonly string[]) => this.warnAll(said);
        const targets = async function* () {
          for (const text of texts) yield* objectTargets(store, text, undefined, warn);
        };
        const bounds = { count: objectsAtOnce, weight: objectsAtOnce, weightOf: () => 1, signal };
        await forEachBounded(targets(), bounds, (target) => asking.askFor(target));
        return asking;
      }),
    );
    if (flags.json) await printDocument(asking.json());
    else await asking.print();
    if (asking.exitCode !== undefined) throw new AnsweredError(asking.exitCode);
  }
}

/** @throws {UsageError} naming the backends that there are */
async function assertBackend(store: StoreService, name: string): Promise<void> {
  const names = (await store.listBackends()).map((backend) => backend.name);
  if (names.includes(name)) return;
  throw new UsageError(`There is no backend '${name}'.`, `There are ${names.join(", ")}.`);
}

function speedOf(text: string): (typeof speeds)[number] {
  return speeds.find((speed) => speed === text) ?? "standard";
}

/** What was asked for so far. Objects that cannot be are told, and the others are asked for. */
class Asking {
  readonly #store: StoreService;
  readonly #options: RestoreObjectOptions;
  readonly #asked: ObjectLocations[] = [];
  readonly #seen = new Set<string>();
  #readable = 0;
  exitCode: number | undefined;

  constructor(store: StoreService, options: RestoreObjectOptions) {
    this.#store = store;
    this.#options = options;
  }

  async askFor({ address, name = address }: ObjectTarget): Promise<void> {
    if (this.#seen.has(address)) return;
    this.#seen.add(address);
    try {
      const locations = await this.#store.restoreObject(address, this.#options);
      if (locations.copies.some(({ restore }) => restore === "requested")) {
        this.#asked.push(locations);
      } else this.#hasNoNeed(name, locations);
    } catch (error) {
      // Where no copy is in an archive, there is nothing to ask for.
      if (isStoreError(error, "unsupported")) {
        this.#hasNoNeed(name, await this.#store.locateObject(address));
      } else if (isStoreError(error, "object_not_found")) this.#absent(name, error);
      else throw error;
    }
  }

  #hasNoNeed(name: string, { object, copies }: ObjectLocations): void {
    if (copies.some(({ configured, status }) => configured && status === "ok")) {
      this.#readable += 1;
      return;
    }
    const message = `No whole copy of ${object.address} is known.`;
    this.#absent(name, new StoreError("object_corrupt", message));
  }

  #absent(name: string, { code, message }: StoreError): void {
    printError("error", printable(`${name}: ${message}`));
    this.exitCode ??= outcomeOf(code).exit;
  }

  json(): object {
    return {
      requested: this.#asked.map((locations) => encodeObjectLocations(locations)),
      readable_count: this.#readable,
    };
  }

  async print(): Promise<void> {
    const asked = `${formatCounted(this.#asked.length, "object")} asked for`;
    const readable = `${formatCount(this.#readable)} can be read now`;
    await printLine(this.#readable === 0 ? asked : `${asked}, ${readable}`);
  }
}
