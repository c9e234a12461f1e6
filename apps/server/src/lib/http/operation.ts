import { routes, type Route, type RouteName } from "@store/api";

import type { BytesReply, Exchange, Handlers } from "./handler.ts";
import { entryNames } from "./parse.ts";

/** One operation at its place. */
export interface Operation {
  readonly name: RouteName;
  readonly route: Route;
  readonly queryNames: ReadonlySet<string>;
  handle(exchange: Exchange): Promise<AnyReply>;
}

/** What a handler may answer with, whatever its route. */
export type AnyReply = Omit<BytesReply, "headers"> & {
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
};

/** The operations of one path, by method. */
export type Resource = ReadonlyMap<string, Operation>;

/** Every operation of the API, by path and method; what answers `GET` answers `HEAD`, too. */
export function resourcesOf(handlers: Handlers): Map<string, Resource> {
  const resources = new Map<string, Map<string, Operation>>();
  for (const name of Object.keys(routes) as RouteName[]) {
    const route: Route = routes[name];
    const resource = resources.get(route.path) ?? new Map<string, Operation>();
    resource.set(route.method, {
      name,
      route,
      queryNames: entryNames(route.query),
      // Each handler takes what its own route says, which the schemas have made sure of.
      handle: handlers[name],
    });
    resources.set(route.path, resource);
  }
  for (const resource of resources.values()) {
    const get = resource.get("GET");
    if (get !== undefined && !resource.has("HEAD")) resource.set("HEAD", get);
  }
  return resources;
}
