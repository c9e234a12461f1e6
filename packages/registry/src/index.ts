export { openRegistry } from "./lib/open-registry.ts";
export type { OpenRegistryOptions, Registry } from "./lib/registry.ts";
export type * from "./lib/types.ts";
export type * from "./lib/copies/types.ts";
export type * from "./lib/operations/types.ts";
export type * from "./lib/placement/types.ts";
export type * from "./lib/uploads/types.ts";
export { backgroundLock } from "./lib/background-lock.ts";
export { hasCopies } from "./lib/placement/has-copies.ts";
