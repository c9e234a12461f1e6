import { StoreError } from "@store/identity";

import {
  allowsName,
  allowsSome,
  formatScope,
  isInstanceAdmin,
  parseScope,
  type FullName,
  type ScopeLevel,
} from "./scope.ts";
import type { Principal } from "./types.ts";

const everything = [parseScope("admin:*"), parseScope("metrics")];
const readEverything = [parseScope("read:*")];

/** Nobody in particular, who may read where the instance is open to everybody. */
export function anonymousPrincipal(mayRead: boolean): Principal {
  return mayRead ? anybody : nobody;
}

const nobody: Principal = { actor: "anonymous", kind: "anonymous", scopes: [] };
const anybody: Principal = { ...nobody, scopes: readEverything };

/** Whoever has the instance itself at hand, and so may do everything with it. */
export function localPrincipal(actor: string): Principal {
  return { actor, kind: "local", scopes: everything };
}

/**
 * What is needed apart from any name:
 *
 * - `authenticated`: a credential, or that the instance is open to everybody
 * - `reader`, `writer`: to read or to write something
 * - `instance`: the scope `admin:*`
 * - `metrics`: the scope `metrics`
 * - `setup`: the scope `admin:*`, or the setup token
 */
export type Need = "authenticated" | "reader" | "writer" | "instance" | "metrics" | "setup";

interface Requirement {
  readonly met: (principal: Principal) => boolean;
  readonly scope: string;
}

const needs: Record<Need, Requirement> = {
  authenticated: { met: ({ kind }) => kind !== "setup", scope: "read:<pattern>" },
  reader: { met: ({ scopes }) => allowsSome(scopes, "read"), scope: "read:<pattern>" },
  writer: { met: ({ scopes }) => allowsSome(scopes, "write"), scope: "write:<pattern>" },
  instance: { met: ({ scopes }) => isInstanceAdmin(scopes), scope: "admin:*" },
  metrics: {
    met: ({ scopes }) => scopes.some(({ level }) => level === "metrics"),
    scope: "metrics",
  },
  setup: {
    met: ({ kind, scopes }) => kind === "setup" || isInstanceAdmin(scopes),
    scope: "admin:*",
  },
};

/**
 * Refuses whoever lacks what is needed.
 *
 * @throws {StoreError} `unauthenticated` without a credential, else `permission_denied` naming the
 *   scope
 */
export function requireAccess(principal: Principal, need: Need): void {
  const { met, scope } = needs[need];
  const isNobody = principal.kind === "anonymous" && principal.scopes.length === 0;
  if (isNobody || !met(principal)) throw lacking(principal, scope);
}

/** Whether a principal may do something with a name. */
export function mayAccess(principal: Principal, level: ScopeLevel, name: FullName): boolean {
  return allowsName(principal.scopes, level, name);
}

/** The refusal of what needs a scope, naming the scope and nothing else. */
export function lacking({ kind }: Principal, scope: string): StoreError {
  if (kind === "anonymous") {
    return new StoreError("unauthenticated", "This needs a credential. Log in, or give a token.");
  }
  if (kind === "setup") {
    const message = "The setup token only makes the first user. Make one, and log in as that user.";
    return new StoreError("permission_denied", message);
  }
  return new StoreError("permission_denied", `This needs the scope ${scope}.`, {
    context: { expected: scope },
  });
}

/** The refusal of a change to a name that may be read. */
export function lackingName(
  principal: Principal,
  level: ScopeLevel,
  { namespace, name }: FullName,
): StoreError {
  const pattern = parseScope(`${level}:${namespace}/${name}`);
  return lacking(principal, formatScope(pattern));
}
