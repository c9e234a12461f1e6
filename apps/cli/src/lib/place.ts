import { UsageError } from "./usage-error.ts";

/** The flags that say where a command works. */
export interface PlaceFlags {
  readonly data?: string | undefined;
  readonly server?: string | undefined;
}

/** Where a command works: with an instance on this machine, or with a server. */
export type Place =
  | { readonly kind: "instance"; readonly data: string | undefined }
  | { readonly kind: "server"; readonly url: string };

/**
 * What the command line says wins over the environment, and there a server over a folder.
 *
 * @throws {UsageError} where the command line names both.
 */
export function choosePlace(
  { data, server }: PlaceFlags,
  environment: NodeJS.ProcessEnv = process.env,
): Place {
  if (data !== undefined && server !== undefined) {
    throw new UsageError("--data and --server exclude each other.", "Give one of them.");
  }
  if (data !== undefined) return { kind: "instance", data };
  const url = server ?? environment.STORE_URL ?? "";
  return url === "" ? { kind: "instance", data } : { kind: "server", url };
}

/**
 * The server of a command that is about nothing else.
 *
 * @throws {UsageError} where none is named.
 */
export function chooseServer(
  flags: PlaceFlags,
  environment: NodeJS.ProcessEnv = process.env,
): string {
  const place = choosePlace(flags, environment);
  if (place.kind === "server") return place.url;
  throw new UsageError(
    "This is about a server, and none is named.",
    "Give --server https://store.example.org, or set STORE_URL.",
  );
}
