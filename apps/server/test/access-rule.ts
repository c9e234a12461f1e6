import type { RouteAccess, RouteName } from "@store/api";
import type { StoreErrorCode } from "@store/identity";

import type { Caller } from "./access-callers.ts";

/** What a caller gets: what was asked for, or one refusal. */
export type Expected =
  | { readonly answer: "success" }
  /** As where there is no such thing, which some routes answer with success. */
  | { readonly answer: "absent" }
  | { readonly answer: "refused"; readonly status: number; readonly code: StoreErrorCode };

const success: Expected = { answer: "success" };
const absent: Expected = { answer: "absent" };
const unauthenticated = refusal(401, "unauthenticated");
const denied = refusal(403, "permission_denied");

function refusal(status: number, code: StoreErrorCode): Expected {
  return { answer: "refused", status, code };
}

const ranks = { none: 0, read: 1, write: 2, admin: 3 } as const;

export interface Instance {
  /** STORE_ANONYMOUS_READ. */
  readonly anonymousRead: boolean;
}

/**
 * The rule. A public route answers everybody, and looks at no credential. Elsewhere one that is not
 * accepted is 401, and so is none at all for whatever is not open to everybody; one that is accepted
 * but lacks the scope is 403; and what is about a name that the caller may not read is as if there
 * were no such thing. An instance that is open to everybody lets each of them read each name.
 */
export function expectedAnswer(
  { name, access }: { readonly name: RouteName; readonly access: RouteAccess },
  caller: Caller,
  instance: Instance,
): Expected {
  if (access === "public") return success;
  if (caller.kind === "refused") return unauthenticated;
  if (caller.kind === "nobody" && !instance.anonymousRead) return unauthenticated;
  const exception = exceptions[name]?.(caller, instance);
  if (exception !== undefined) return exception;
  const isMet = met(access, caller, instance);
  if (isMet === "hidden") return absent;
  if (isMet) return success;
  return caller.kind === "nobody" ? unauthenticated : denied;
}

function met(
  access: Exclude<RouteAccess, "public">,
  caller: Caller,
  { anonymousRead }: Instance,
): boolean | "hidden" {
  const { kind } = caller;
  const opened = anonymousRead && kind !== "setup" ? ranks.read : ranks.none;
  const overApp = Math.max(ranks[caller.overApp], opened);
  const overSome = Math.max(ranks[caller.overSome], opened);
  switch (access) {
    case "authenticated":
      return kind !== "setup";
    case "reader":
      return overSome >= ranks.read;
    case "writer":
      return overSome >= ranks.write;
    case "read":
    case "write":
    case "admin":
      if (kind === "setup") return false;
      return overApp === ranks.none ? "hidden" : overApp >= ranks[access];
    case "instance":
      return caller.isInstanceAdmin;
    case "metrics":
      return caller.readsMetrics;
    case "setup":
      return kind === "setup" || caller.isInstanceAdmin;
  }
}

type Exception = (caller: Caller, instance: Instance) => Expected | undefined;

/** What is one's own, nobody in particular has not, however open the instance is. */
const ownOnly: Exception = ({ kind }) => (kind === "nobody" ? unauthenticated : undefined);

const notByToken: Exception = (caller, instance) =>
  caller.kind === "token" && !caller.isInstanceAdmin ? denied : ownOnly(caller, instance);

const exceptions: Partial<Record<RouteName, Exception>> = {
  getMe: ownOnly,
  listTokens: ownOnly,
  // A token makes and revokes others only with `admin:*`, so that a leaked one ends when it is
  // revoked, and ends no other.
  revokeToken: notByToken,
  createToken: notByToken,
  // Only whoever logged in changes the password.
  changePassword: (caller, instance) =>
    caller.kind === "token" ? denied : ownOnly(caller, instance),
  // What is not there yet is hidden from nobody: the answer tells of the caller alone.
  createPackage: (caller, { anonymousRead }) =>
    caller.overApp === "none" && caller.kind !== "nobody" && !anonymousRead ? denied : undefined,
};
