import { isStoreError, type NamePattern } from "@store/identity";
import type { ReadScope, Registry } from "@store/registry";

import { lackingName, requireAccess, type Need } from "./principal.ts";
import { allowsName, isInstanceAdmin, type FullName, type ScopeLevel } from "./scope.ts";
import type { Principal } from "./types.ts";

/**
 * What a principal may read of a registry: the names of all its scopes, and what happens to
 * accounts with `admin:*`.
 */
function readScopeOf({ scopes }: Pick<Principal, "scopes">): ReadScope {
  const names = scopes.flatMap((scope): NamePattern[] =>
    scope.level === "metrics" ? [] : [scope.pattern],
  );
  return { names, accounts: isInstanceAdmin(scopes) };
}

type Method = Exclude<keyof Registry, "as">;
type Arguments<Name extends Method> = Parameters<Registry[Name]>;

/** What gives one thing after another, and refuses when the first is asked for. */
const streaming = ["tailEvents", "replicateObjects", "verifyObjects", "evacuateObjects"] as const;
type Streaming = (typeof streaming)[number];

/** What the guard works with. */
interface Guarded {
  readonly principal: Principal;
  /** The registry on behalf of the principal, which shows what that may read. */
  readonly registry: Registry;
}

/** Refuses a call, or lets it through to the registry that shows what may be read. */
type Rule<Name extends Method> = (
  guarded: Guarded,
  ...args: Arguments<Name>
) => Promise<void> | void;

const need =
  (what: Need) =>
  ({ principal }: Guarded): void =>
    requireAccess(principal, what);

/** Reads by name or id: the registry itself answers what is not covered as if it were not there. */
const reading = need("authenticated");

/**
 * Refuses a change to a package that may be read. One that may not be read is left to the registry,
 * whose answer is that for a package that is not there.
 */
const changing =
  (level: ScopeLevel) =>
  async ({ principal, registry }: Guarded, packageId: string): Promise<void> => {
    requireAccess(principal, "authenticated");
    const found = await packageName(registry, packageId);
    if (found !== undefined) requireName(principal, level, found);
  };

const writing = changing("write");
const administering = changing("admin");

/** A rule for every method: a new one does not compile without its own. */
const rules: { readonly [Name in Method]: Rule<Name> } = {
  createPackage: ({ principal }, input) => {
    requireAccess(principal, "authenticated");
    requireName(principal, "write", input);
  },
  ingestFile: writing,
  addFile: writing,
  removeFile: writing,
  finalizePackage: writing,
  abandonPackage: writing,
  yankPackage: writing,
  unyankPackage: writing,

  getPackage: reading,
  resolve: reading,
  listPackages: need("reader"),
  listVersions: reading,
  listNames: need("reader"),
  listFiles: reading,
  statFile: reading,
  getFile: reading,
  presignFile: reading,
  presignObject: reading,
  getManifestBytes: reading,
  statObject: reading,
  openObject: reading,
  listMissing: need("reader"),

  // Where objects lie, and what their keeping costs, is for those who run the instance.
  listBackends: need("instance"),
  locateObject: need("instance"),
  replicateObjects: need("instance"),
  verifyObjects: need("instance"),
  evacuateObjects: need("instance"),
  restoreObject: need("instance"),
  tendCopies: need("instance"),

  setTag: (guarded, { packageId }) => writing(guarded, packageId),
  removeTag: ({ principal }, target) => {
    requireAccess(principal, "authenticated");
    if (allowsName(principal.scopes, "read", target)) requireName(principal, "write", target);
  },
  listTags: reading,

  registerMetadataSchema: need("instance"),
  getMetadataSchema: reading,
  listMetadataSchemas: reading,

  listRetentionClasses: reading,
  getRetention: reading,
  setRetention: administering,
  placeHold: administering,
  releaseHold: async ({ principal, registry }, holdId) => {
    requireAccess(principal, "authenticated");
    const packageId = await packageOfHold(registry, holdId);
    if (packageId !== undefined) await administering({ principal, registry }, packageId);
  },
  getHold: reading,
  listHolds: need("reader"),

  // An upload is its actor's own, and is nobody's package yet.
  createUpload: need("writer"),
  getUpload: reading,
  listUploads: reading,
  setUploadSize: need("writer"),
  appendUpload: need("writer"),
  cancelUpload: reading,
  countOpenUploads: need("instance"),

  verifyPackage: reading,
  verifyLog: need("instance"),
  readEvents: need("reader"),
  tailEvents: need("reader"),
  head: need("reader"),
  replay: need("instance"),
  sweep: need("instance"),
  health: need("instance"),
  close: need("instance"),
};

/** The guarded registries of principals that are still in use: most make many requests. */
const made = new WeakMap<Registry, WeakMap<Principal, Registry>>();

/**
 * The registry on behalf of a principal, as far as its scopes let. What may not be read answers
 * exactly as if it did not exist; a change to what may be read but not changed is
 * `permission_denied` naming the scope; without any credential everything is `unauthenticated`.
 * Events name the principal's actor.
 */
export function guardRegistry(registry: Registry, principal: Principal): Registry {
  const byPrincipal = made.get(registry) ?? new WeakMap<Principal, Registry>();
  made.set(registry, byPrincipal);
  const guarded = byPrincipal.get(principal) ?? makeGuard(registry, principal);
  byPrincipal.set(principal, guarded);
  return guarded;
}

function makeGuard(registry: Registry, principal: Principal): Registry {
  const scoped = registry.as(principal.actor, readScopeOf(principal));
  const guarded = { principal, registry: scoped };
  const methods: Partial<Record<Method, unknown>> = {};
  for (const name of Object.keys(rules) as Method[]) {
    methods[name] = isStreaming(name) ? guardStream(guarded, name) : guardMethod(guarded, name);
  }
  return {
    ...(methods as Omit<Registry, "as">),
    // Only whoever may do everything may do it on behalf of another.
    as: (actor, readable) => {
      requireAccess(principal, "instance");
      return registry.as(actor, readable);
    },
  };
}

function isStreaming(name: Method): name is Streaming {
  return streaming.some((one) => one === name);
}

type AnyRule = (guarded: Guarded, ...args: unknown[]) => Promise<void> | void;

function guardMethod(guarded: Guarded, name: Exclude<Method, Streaming>) {
  // Rule and method are those of one name, and so take the same arguments.
  const rule = rules[name] as AnyRule;
  const method = guarded.registry[name] as (...args: unknown[]) => Promise<unknown>;
  return async (...args: unknown[]): Promise<unknown> => {
    await rule(guarded, ...args);
    return await method(...args);
  };
}

function guardStream(guarded: Guarded, name: Streaming) {
  const rule = rules[name] as AnyRule;
  const method = guarded.registry[name] as (...args: unknown[]) => AsyncIterable<unknown>;
  return async function* (...args: unknown[]): AsyncGenerator {
    await rule(guarded, ...args);
    yield* method(...args);
  };
}

function requireName(principal: Principal, level: ScopeLevel, { namespace, name }: FullName): void {
  if (allowsName(principal.scopes, level, { namespace, name })) return;
  throw lackingName(principal, level, { namespace, name });
}

/** The name that a package stands under, if it is there and may be read. */
async function packageName(registry: Registry, packageId: string): Promise<FullName | undefined> {
  try {
    return await registry.getPackage(packageId);
  } catch (error) {
    if (isStoreError(error, "package_not_found")) return undefined;
    throw error;
  }
}

/** The package that a hold is on, if the hold is there and may be read. */
async function packageOfHold(registry: Registry, holdId: string): Promise<string | undefined> {
  try {
    return (await registry.getHold(holdId)).packageId;
  } catch (error) {
    if (isStoreError(error, "hold_not_found")) return undefined;
    throw error;
  }
}
