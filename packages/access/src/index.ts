export type { Access } from "./lib/access.ts";
export { guardRegistry } from "./lib/guard.ts";
export { openAccess } from "./lib/open-access.ts";
export {
  anonymousPrincipal,
  localPrincipal,
  mayAccess,
  requireAccess,
  type Need,
} from "./lib/principal.ts";
export {
  formatScope,
  includesScope,
  parseScope,
  parseScopes,
  type FullName,
  type Scope,
  type ScopeLevel,
} from "./lib/scope.ts";
export type * from "./lib/types.ts";
