export type { OpenRegistryOptions, Registry } from "./lib/registry.ts";
export type * from "./lib/types.ts";
