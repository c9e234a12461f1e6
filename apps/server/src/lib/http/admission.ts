import {
  anonymousPrincipal,
  requireAccess,
  type Access,
  type Need,
  type Principal,
} from "@store/access";
import type { RouteAccess } from "@store/api";

import { headerOf, type Arrival } from "./arrival.ts";

const nobody = anonymousPrincipal(false);

/**
 * Finds out who calls, and whether the route answers such callers at all. What depends on a name is
 * left to the registry that the caller is given. A public route asks for no credential, and looks
 * at none.
 *
 * @throws {StoreError} `unauthenticated`, `permission_denied` or `rate_limited`
 */
export async function admit(
  access: Pick<Access, "authenticate">,
  routeAccess: RouteAccess,
  arrival: Arrival,
): Promise<Principal> {
  if (routeAccess === "public") return nobody;
  const authorization = headerOf(arrival.incoming, "authorization");
  const principal = await access.authenticate(authorization, { address: arrival.address });
  arrival.principal = principal;
  requireAccess(principal, neededFor(routeAccess, principal));
  return principal;
}

function neededFor(routeAccess: Exclude<RouteAccess, "public">, { kind }: Principal): Need {
  switch (routeAccess) {
    case "read":
      return "authenticated";
    case "write":
    case "admin":
      // Who has no name cannot change one, so nothing of such a request is read.
      return kind === "anonymous" ? "writer" : "authenticated";
    default:
      return routeAccess;
  }
}
